//! The calls that the emulator serves, with their names in the API's protobuf service.

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// `POST /annotations`
    PostAnnotations,
    /// `GET /annotations`
    ListAnnotations,
    /// `GET /inputs/{input_id}/annotations/{id}`
    GetAnnotation,
    /// `PATCH /annotations`
    PatchAnnotations,
    /// `DELETE /inputs/{input_id}/annotations/{id}`
    DeleteAnnotation,
    /// `DELETE /annotations` and `DELETE /inputs/annotations`
    DeleteAnnotations,
    /// `PATCH /task/{task_id}/annotations/status`
    PatchAnnotationsStatus,
    /// `POST /annotations/searches`
    PostAnnotationsSearches,
    /// `POST /inputs`
    PostInputs,
    /// `GET /inputs`
    ListInputs,
    /// `GET /inputs/stream`
    StreamInputs,
    /// `GET /inputs/status`
    GetInputCount,
    /// `GET /inputs/{input_id}`
    GetInput,
    /// `DELETE /inputs/{input_id}`
    DeleteInput,
    /// `DELETE /inputs`
    DeleteInputs,
    /// `GET /concepts`
    ListConcepts,
    /// `GET /concepts/{concept_id}`
    GetConcept,
    /// `POST /concepts`
    PostConcepts,
    /// `GET /users/{user_id}`
    GetUser,
    /// A path or method that the emulator does not serve.
    Unknown,
}

impl Endpoint {
    /// The name of the list in the request's body.
    pub(super) fn item_list(self) -> Option<&'static str> {
        match self {
            Self::PostAnnotations | Self::PatchAnnotations => Some("annotations"),
            Self::DeleteAnnotations => Some("input_ids"),
            Self::PostInputs => Some("inputs"),
            Self::DeleteInputs => Some("ids"),
            Self::PostConcepts => Some("concepts"),
            Self::PostAnnotationsSearches => Some("searches"),
            _ => None,
        }
    }

    pub(super) fn takes_body(self) -> bool {
        self.item_list().is_some() || self == Self::PatchAnnotationsStatus
    }
}
