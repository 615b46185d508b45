//! Every kind of annotation: posts, changes and reading. Desired states are built from model types, and annotations are
//! declared by id, so these tests do not depend on parsing and matching.

mod changes;
mod laws;
mod posts;
mod undo;
mod world;

use crate::support::{ME, desired, png};
use annosync::model::{
    AnnotationId, Content, DesiredAnnotation, DesiredState, Geometry, Identity, Key, Mask, Origin,
};
use serde_json::{Value, json};

/// Content in the manifest's notation.
fn content(notation: &Value) -> Content {
    serde_json::from_value(notation.clone()).unwrap()
}

/// A state that declares one annotation on input `a`.
fn declared(identity: Identity, content: Content) -> DesiredState {
    let mut state = desired("  - id: a\n    annotations: []\n");
    state.inputs[0].annotations = vec![DesiredAnnotation {
        identity,
        content,
        origin: Origin::default(),
    }];
    state
}

/// The existing annotation with this id.
fn by_id(id: &str) -> Identity {
    Identity::Id(AnnotationId::new(id).unwrap())
}

fn by_key() -> Identity {
    Identity::Key(Key::new("k").unwrap())
}

/// An annotation `1` of input `a` as the service sends it.
fn stored(data: &Value) -> Value {
    json!({
        "id": "1", "input_id": "a", "user_id": ME, "status": {"code": 24150},
        "created_at": "2026-01-01T00:00:00Z", "data": data,
    })
}

fn mask(width: u32, pixels: &[u8]) -> Geometry {
    Geometry::Mask(Box::new(Mask::from_png(png(width, pixels)).unwrap()))
}
