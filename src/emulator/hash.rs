//! Hex digits, and deterministic ids.

use sha2::{Digest, Sha256};

/// Lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let mut hex = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        hex.push(DIGITS[usize::from(byte >> 4)]);
        hex.push(DIGITS[usize::from(byte & 15)]);
    }
    hex
}

/// 32 hex digits of a hash of a seed, a kind and a counter.
pub(super) fn hex_id(seed: u64, kind: &str, count: u64) -> String {
    hex(&Sha256::digest(format!("{seed} {kind} {count}"))[..16])
}
