//! annosync: Terraform for labels.
//!
//! A manifest (YAML in a git repository) declares which annotations the inputs of a Clarifai app have; this crate
//! compares it with a complete listing of the app, computes the smallest set of writes that makes the app equal, and
//! applies it. `ARCHITECTURE.md` lists the modules and their dependencies. The binary only calls [`cli::main`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod api;
pub mod apply;
pub mod cli;
pub mod conformance;
pub mod drawing;
pub mod emulator;
pub mod formats;
pub mod lint;
pub mod manifest;
pub mod matching;
pub mod model;
pub mod observed;
pub mod plan;
pub mod pull;
pub mod render;
pub mod schemas;
pub mod stats;
pub mod wire;
