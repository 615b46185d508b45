//! Every call has the same answer over gRPC as in JSON.

use super::{Server, config, to_json};
use annosync::emulator::{Config, Endpoint, ListingOrder};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A call: its name, its request as the message has it, and where JSON has the parts of the request.
struct Step {
    name: &'static str,
    method: Method,
    path: &'static str,
    body: Value,
    /// The fields of the message that are not in the body.
    rest: Value,
}

fn step(name: &'static str, method: Method, path: &'static str, body: Value, rest: Value) -> Step {
    Step {
        name,
        method,
        path,
        body,
        rest,
    }
}

/// Fields that the two forms write differently (64-bit integers, times, free JSON, bytes) are in here.
#[rustfmt::skip]
fn steps() -> Vec<Step> {
    let boxed = |right: f64| json!([{"id": "r", "region_info": {"bounding_box": {"top_row": 0.1, "left_col": 0, "bottom_row": 0.5, "right_col": right}}}]);
    let get = || Method::GET;
    let none = || Value::Null;
    vec![
        step("PostApps", Method::POST, "/../../apps", json!({"apps": [{"id": "second", "description": "d", "metadata": {"n": 3}}]}), none()),
        step("ListApps", get(), "/../../apps", none(), none()),
        step("GetApp", get(), "", none(), none()),
        step("PatchApps", Method::PATCH, "/../../apps", json!({"action": "merge", "apps": [{"id": "second", "metadata": {"half": 0.5}}]}), none()),
        step("PatchApp", Method::PATCH, "/../second", json!({"action": "overwrite", "app": {"id": "second", "description": "e", "is_template": true}}), json!({"user_app_id": {"user_id": "owner", "app_id": "second"}})),
        step("DeleteApp", Method::DELETE, "/../second", none(), json!({"user_app_id": {"user_id": "owner", "app_id": "second"}})),
        step("DeleteApp", Method::DELETE, "/../none", none(), json!({"user_app_id": {"user_id": "owner", "app_id": "none"}})),
        step("GetUser", get(), "/../../../owner", none(), none()),
        step("MyScopes", get(), "/myscopes", none(), none()),
        step("PostDatasets", Method::POST, "/datasets", json!({"datasets": [{"id": "d", "description": "x"}, {"id": "e"}]}), none()),
        step("ListDatasets", get(), "/datasets", none(), none()),
        step("PatchDatasets", Method::PATCH, "/datasets", json!({"action": "merge", "datasets": [{"id": "d", "notes": "n", "metadata": {"n": 3}}]}), none()),
        step("GetDataset", get(), "/datasets/d", none(), json!({"dataset_id": "d"})),
        step("PostInputs", Method::POST, "/inputs", json!({"inputs_add_job_id": "j", "inputs": [
            {"id": "i", "data": {"image": {"base64": "iVBORw0KGgo="}, "metadata": {"whole": 3, "half": 0.5, "list": [1, {"a": null}], "yes": true}}, "dataset_ids": ["d"]},
            {"id": "v", "data": {"video": {"url": "https://example.com/v.mp4"}, "concepts": [{"id": "day", "value": 1}]}},
            {"id": "t", "data": {"text": {"raw": "hello"}}},
            {"id": "i"},
            {"id": "bad", "data": {"image": {"url": "s3://x"}}},
        ]}), none()),
        step("GetInputsAddJob", get(), "/inputs/jobs/add/j", none(), json!({"id": "j"})),
        step("ListInputsAddJobs", get(), "/inputs/jobs/add", none(), none()),
        step("CancelInputsAddJob", Method::PATCH, "/inputs/jobs/add/j", json!({}), json!({"id": "j"})),
        step("ListInputs", get(), "/inputs?ids=i&ids=v&per_page=1", none(), json!({"ids": ["i", "v"], "per_page": 1})),
        step("ListInputs", get(), "/inputs?status.code=30000", none(), json!({"status": {"code": 30000}})),
        step("StreamInputs", get(), "/inputs/stream?per_page=5&last_id=i&order_by_id=true", none(), json!({"per_page": 5, "last_id": "i", "order_by_id": true})),
        step("GetInputCount", get(), "/inputs/status", none(), none()),
        step("GetInput", get(), "/inputs/i", none(), json!({"input_id": "i"})),
        step("PatchInputs", Method::PATCH, "/inputs", json!({"action": "merge", "inputs": [{"id": "i", "data": {"concepts": [{"id": "night", "value": 0.25}]}}, {"id": "none"}]}), none()),
        step("ListDatasetInputs", get(), "/datasets/d/inputs", none(), json!({"dataset_id": "d"})),
        step("PostDatasetInputs", Method::POST, "/datasets/e/inputs", json!({"dataset_inputs": [{"input": {"id": "t"}}]}), json!({"dataset_id": "e"})),
        step("PostDatasetInputs", Method::POST, "/datasets/e/inputs", json!({"search": {"query": {"filters": [{"input": {"dataset_ids": ["d"]}}]}}}), json!({"dataset_id": "e"})),
        step("DeleteDatasetInputs", Method::DELETE, "/datasets/e/inputs", json!({"input_ids": ["t"]}), json!({"dataset_id": "e"})),
        step("DeleteDatasets", Method::DELETE, "/datasets", json!({"dataset_ids": ["e"]}), none()),
        step("PostAnnotations", Method::POST, "/annotations", json!({"annotations": [
            {"id": "a", "input_id": "i", "task_id": "k", "data": {"regions": boxed(0.3)}, "annotation_info": {"whole": 7, "text": "x", "half": 0.5}},
            {"id": "b", "input_id": "v", "data": {"frames": [{"frame_info": {"time": "9007199254740993", "number": 2}, "data": {"regions": boxed(0.7)}}]}},
            {"id": "c", "input_id": "t", "data": {"concepts": [{"id": "new", "value": 0}]}, "status": {"code": 24151}},
            {"id": "m", "input_id": "i", "data": {"regions": [{"region_info": {"mask": {"image": {"base64": "iVBORw0KGgo="}}}, "data": {"concepts": [{"id": "road", "value": 1}]}}]}},
            {"id": "p", "input_id": "i", "data": {"regions": [{"region_info": {"keypoint_locations": [{"row": 0.5, "col": 0, "visibility": 2}]}}]}},
            {"id": "a", "input_id": "i"},
        ]}), none()),
        step("GetAnnotation", get(), "/inputs/v/annotations/b", none(), json!({"input_id": "v", "annotation_id": "b"})),
        step("GetAnnotation", get(), "/inputs/v/annotations/none", none(), json!({"input_id": "v", "annotation_id": "none"})),
        step("ListAnnotations", get(), "/annotations?per_page=3&page=2", none(), json!({"per_page": 3, "page": 2})),
        step("ListAnnotations", get(), "/annotations?input_ids=i&ids=a", none(), json!({"input_ids": ["i"], "ids": ["a"]})),
        step("ListAnnotations", get(), "/annotations?statuses=24151", none(), json!({"statuses": [{"code": 24151}]})),
        step("PatchAnnotations", Method::PATCH, "/annotations", json!({"action": "merge", "annotations": [{"id": "a", "input_id": "i", "data": {"regions": boxed(0.4)}}]}), none()),
        step("PatchAnnotations", Method::PATCH, "/annotations", json!({"action": "wrong", "annotations": [{"id": "a", "input_id": "i"}]}), none()),
        step("PatchAnnotationsStatus", Method::PATCH, "/task/k/annotations/status", json!({"action": "overwrite", "status_code": 24158}), json!({"task_id": "k"})),
        step("PostAnnotationsSearches", Method::POST, "/annotations/searches", json!({"searches": [{"query": {"filters": [{"annotation": {"task_id": "k"}}]}}], "pagination": {"per_page": 2}}), none()),
        step("ListConcepts", get(), "/concepts", none(), none()),
        step("GetConcept", get(), "/concepts/road", none(), json!({"concept_id": "road"})),
        step("PostConcepts", Method::POST, "/concepts", json!({"concepts": [{"id": "x", "name": "X"}, {"id": "y"}]}), none()),
        step("PostConcepts", Method::POST, "/concepts", json!({"concepts": [{"id": "x"}]}), none()),
        step("PatchConcepts", Method::PATCH, "/concepts", json!({"action": "overwrite", "concepts": [{"id": "x", "name": "Y"}]}), none()),
        step("DeleteAnnotation", Method::DELETE, "/inputs/i/annotations/p", none(), json!({"input_id": "i", "annotation_id": "p"})),
        step("DeleteAnnotations", Method::DELETE, "/annotations", json!({"input_ids": ["i", "i"], "ids": ["a", "none"]}), none()),
        step("DeleteAnnotations", Method::DELETE, "/inputs/annotations", json!({"input_ids": ["v"]}), none()),
        step("ListAnnotations", get(), "/annotations?per_page=1000", none(), json!({"per_page": 1000})),
        step("DeleteInput", Method::DELETE, "/inputs/i", none(), json!({"input_id": "i"})),
        step("DeleteInputs", Method::DELETE, "/inputs", json!({"ids": ["v", "none"]}), none()),
        step("ListInputs", get(), "/inputs", none(), none()),
    ]
}

/// Both servers have the same ids and clock, so their answers are equal except for their addresses.
async fn check(config: Config) {
    let (grpc, json) = (
        Server::start(config.clone()).await,
        Server::start(config).await,
    );
    let mut called = BTreeSet::new();
    for Step {
        name,
        method,
        path,
        body,
        rest,
    } in steps()
    {
        let mut request = json!({"user_app_id": {"user_id": "owner", "app_id": "app"}});
        for part in [&body, &rest] {
            if let Value::Object(fields) = part {
                request.as_object_mut().unwrap().extend(fields.clone());
            }
        }
        let over_grpc = grpc.message(name, &request).await;
        let (_, answer) = json.rest(method, path, &body).await;
        let local = |text: String, server: &Server| text.replace(&server.emulator.url(), "URL");
        assert_eq!(
            local(to_json(&over_grpc).to_string(), &grpc),
            local(to_json(&json.read(name, &answer)).to_string(), &json),
            "{name} {path}"
        );
        called.insert(name);
    }
    let all: BTreeSet<&str> = Endpoint::ALL.iter().map(|call| call.name()).collect();
    assert_eq!(called, all, "a call is missing in this test");
}

#[tokio::test]
async fn answers_are_equal_over_grpc_and_in_json() {
    check(config()).await;
}

#[tokio::test]
async fn answers_are_equal_whatever_the_order_of_listings_and_the_size_of_pages() {
    let mut config = Config {
        page_cap: Some(2),
        default_page: 128,
        require_inputs: true,
        ..config()
    };
    config.response_style.listings = ListingOrder::NewestFirst;
    check(config).await;
}
