//! The table of calls in `examples/README.md`.

use super::super::{Endpoint, protobuf};
use std::fmt::Write as _;

const README: &str = include_str!("../../../examples/README.md");

/// Each call with its methods and paths, as the router has them, and whether the definitions of gRPC have it.
fn table() -> String {
    let mut table = "| call | REST | gRPC |\n|---|---|---|\n".to_owned();
    for endpoint in Endpoint::ALL {
        let routes = endpoint.routes().iter();
        let routes: Vec<String> = routes
            .map(|(_, method, path)| format!("`{method} {path}`"))
            .collect();
        let grpc = protobuf::method(*endpoint).map_or("no", |_| "yes");
        let (name, routes) = (endpoint.name(), routes.join(", "));
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| {name} | {routes} | {grpc} |");
    }
    table
}

#[test]
fn the_table_of_calls_is_that_of_the_router() {
    let table = table();
    assert!(
        README.contains(&table),
        "examples/README.md needs:\n{table}"
    );
}
