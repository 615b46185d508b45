//! The client of the service's REST API: wire types, a reader that cannot write, a writer, paging, retry, rate limit.
//!
//! It knows HTTP and the API's JSON, and nothing of manifests, plans or matching; it uses no other room.

pub mod code;
pub mod wire;
