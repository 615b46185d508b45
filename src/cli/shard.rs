//! `--shard`: the part of the inputs that a run covers.

use super::command_line::variable;
use super::exit::Failure;
use crate::model::Shard;

/// The variable in which Kubernetes gives each pod of an Indexed Job its number.
const INDEX: &str = "JOB_COMPLETION_INDEX";

/// Which part of the inputs a run covers.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ShardArgs {
    /// Cover only part I of N of all inputs, counted from 0; the id of an input decides about its part. Run all N at the same
    /// time or one after the other (pulls into one folder: one after the other): none touches an input of another, and each takes
    /// 1/N of the rate
    #[arg(long, value_name = "I/N", conflicts_with = "shard_count")]
    shard: Option<Shard>,
    /// Cover part JOB_COMPLETION_INDEX of N, in a pod of a Kubernetes Indexed Job
    #[arg(long, value_name = "N")]
    shard_count: Option<u32>,
}

impl ShardArgs {
    /// The shard, if one is named.
    pub(crate) fn shard(&self) -> Result<Option<Shard>, Failure> {
        let Some(count) = self.shard_count else {
            return Ok(self.shard);
        };
        let index = variable(INDEX).ok_or_else(|| {
            Failure::usage(format!(
                "--shard-count takes the number of the shard from {INDEX}, which is not set"
            ))
            .hint(format!(
                "run it in an Indexed Job (`completionMode: Indexed`), or name the shard: --shard 0/{count}"
            ))
        })?;
        let wrong = |why: String| {
            Failure::usage(format!(
                "--shard-count {count} with {INDEX}={index:?}: {why}"
            ))
            .hint("give the Job's `completions`")
        };
        let index = index
            .parse()
            .map_err(|_| wrong(format!("{INDEX} is not a whole number")))?;
        Shard::new(index, count).map(Some).map_err(wrong)
    }
}
