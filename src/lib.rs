//! annosync: Terraform for labels.
//!
//! A manifest (YAML in a git repository) declares which annotations the inputs of a Clarifai app have; this crate
//! compares it with a complete listing of the app, computes the smallest set of writes that makes the app equal, and
//! carries it out. `ARCHITECTURE.md` draws the rooms and which of them may use which; the binary is a thin shell
//! around [`cli`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod api;
pub mod apply;
pub mod cli;
pub mod emulator;
pub mod formats;
pub mod manifest;
pub mod matching;
pub mod model;
pub mod observed;
pub mod plan;
pub mod pull;
pub mod render;
