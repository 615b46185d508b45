//! The binary itself, end to end: against the emulator over HTTP, or against an embedded store.
//!
//! [`World`] is one emulator, one folder with a manifest, and the binary run in that folder with a clean environment.
//! After every successful apply, the harness checks that a plan is empty.

mod batches;
mod boundaries;
mod bounded;
mod collaborators;
mod coloring;
mod complete;
mod configuring;
mod conforming;
mod connecting;
mod converting;
mod diffing;
mod disk;
mod doctor;
mod drifting;
mod emptying;
mod every;
mod exits;
#[cfg(unix)]
mod first_change;
mod forged;
mod formats;
mod formatting;
mod guards;
#[cfg(unix)]
mod guide;
mod helping;
mod importing;
mod initial;
mod input_files;
mod inputs;
mod kept;
mod linting;
mod listing;
mod logging;
mod notifying;
mod offline;
mod outcome_json;
#[cfg(unix)]
mod output_files;
mod outside;
mod pace;
mod packages;
mod page;
mod pages;
mod pictures;
mod plan_file;
mod progress;
mod proxy;
mod pull_losses;
mod pulling;
mod quickstart;
mod races;
mod reading;
mod recording;
mod reimporting;
mod replacing;
mod response_styles;
mod screen;
mod services;
mod serving;
mod shards;
mod sharing;
mod showing;
mod single;
mod starting;
mod stats;
mod stopping;
mod taco;
mod teams;
mod testing;
mod token;
mod undoing;
mod unreadable;
mod validating;
mod walking;
#[cfg(unix)]
mod workflows;
mod world;
mod writing;

pub(crate) use every::kinds;
pub(crate) use world::{
    Run, World, app_flags, boxes, command, folder_of, git, header, is_there, settled, skipped,
};
