//! The calls that the emulator serves: their names in the API's protobuf service, methods and paths.

use axum::routing::MethodFilter;

/// Defines the calls. A path that begins with `/v2` is whole; the others are below an app, in the long and in the short
/// form of the API's paths.
macro_rules! endpoints {
    ($($name:ident: $($method:ident $path:literal),+;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Endpoint {
            $($(#[doc = concat!("`", stringify!($method), " ", $path, "`\n")])+ $name,)+
            /// A path that the emulator serves, with another method.
            WrongMethod,
            /// A path that the emulator does not serve.
            Unknown,
        }

        impl Endpoint {
            /// All calls that are served.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name in the API's protobuf service; "" if the call is not served.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                    Self::WrongMethod | Self::Unknown => "",
                }
            }

            /// The HTTP methods and paths.
            pub(super) fn routes(self) -> &'static [(MethodFilter, &'static str, &'static str)] {
                match self {
                    $(Self::$name => &[$((MethodFilter::$method, stringify!($method), $path)),+],)+
                    Self::WrongMethod | Self::Unknown => &[],
                }
            }
        }
    };
}

endpoints! {
    PostAnnotations: POST "/annotations";
    ListAnnotations: GET "/annotations";
    GetAnnotation: GET "/inputs/{input_id}/annotations/{annotation_id}";
    PatchAnnotations: PATCH "/annotations";
    DeleteAnnotation: DELETE "/inputs/{input_id}/annotations/{annotation_id}";
    DeleteAnnotations: DELETE "/annotations", DELETE "/inputs/annotations";
    PatchAnnotationsStatus: PATCH "/task/{task_id}/annotations/status";
    PostAnnotationsSearches: POST "/annotations/searches";
    PostInputs: POST "/inputs";
    ListInputs: GET "/inputs";
    StreamInputs: GET "/inputs/stream";
    GetInputCount: GET "/inputs/status";
    GetInput: GET "/inputs/{input_id}";
    PatchInputs: PATCH "/inputs";
    DeleteInput: DELETE "/inputs/{input_id}";
    DeleteInputs: DELETE "/inputs";
    ListInputsAddJobs: GET "/inputs/jobs/add";
    GetInputsAddJob: GET "/inputs/jobs/add/{id}";
    CancelInputsAddJob: PATCH "/inputs/jobs/add/{id}";
    ListConcepts: GET "/concepts";
    GetConcept: GET "/concepts/{concept_id}";
    PostConcepts: POST "/concepts";
    PatchConcepts: PATCH "/concepts";
    ListDatasets: GET "/datasets";
    GetDataset: GET "/datasets/{dataset_id}";
    PostDatasets: POST "/datasets";
    PatchDatasets: PATCH "/datasets";
    DeleteDatasets: DELETE "/datasets";
    ListDatasetInputs: GET "/datasets/{dataset_id}/inputs";
    PostDatasetInputs: POST "/datasets/{dataset_id}/inputs";
    DeleteDatasetInputs: DELETE "/datasets/{dataset_id}/inputs";
    ListApps: GET "/v2/users/{user_id}/apps", GET "/v2/apps";
    GetApp: GET "/v2/users/{user_id}/apps/{app_id}", GET "/v2/app";
    PostApps: POST "/v2/users/{user_id}/apps";
    PatchApps: PATCH "/v2/users/{user_id}/apps";
    PatchApp: PATCH "/v2/users/{user_id}/apps/{app_id}";
    DeleteApp: DELETE "/v2/users/{user_id}/apps/{app_id}";
    GetUser: GET "/v2/users/{user_id}";
    MyScopes: GET "/myscopes";
}

impl Endpoint {
    /// The call with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|call| call.name() == name)
    }

    /// The name of the list in the request's body.
    pub(super) fn item_list(self) -> Option<&'static str> {
        match self {
            Self::PostAnnotations | Self::PatchAnnotations => Some("annotations"),
            Self::DeleteAnnotations | Self::DeleteDatasetInputs => Some("input_ids"),
            Self::PostInputs | Self::PatchInputs => Some("inputs"),
            Self::DeleteInputs => Some("ids"),
            Self::PostConcepts | Self::PatchConcepts => Some("concepts"),
            Self::PostAnnotationsSearches => Some("searches"),
            Self::PostDatasets | Self::PatchDatasets => Some("datasets"),
            Self::DeleteDatasets => Some("dataset_ids"),
            Self::PostDatasetInputs => Some("dataset_inputs"),
            Self::PostApps | Self::PatchApps => Some("apps"),
            _ => None,
        }
    }

    pub(super) fn takes_body(self) -> bool {
        self.item_list().is_some()
            || matches!(
                self,
                Self::PatchAnnotationsStatus | Self::CancelInputsAddJob | Self::PatchApp
            )
    }

    /// The largest accepted body, in bytes. A call with inputs may contain their files.
    pub(super) fn max_body(self) -> usize {
        match self {
            Self::PostInputs => 64 << 20,
            _ => 8 << 20,
        }
    }
}
