//! Hex digits, and deterministic ids.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// 32 hex digits of a hash of a seed, a kind and a counter.
pub(super) fn hex_id(seed: u64, kind: &str, count: u64) -> String {
    hex(&Sha256::digest(format!("{seed} {kind} {count}"))[..16])
}
