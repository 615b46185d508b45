//! PATCH of annotations: permissions and answers. The effects of the actions on JSON are tested in `patch`.

use super::{HELPER, OWNER, Server, boxed, code, codes, tagged};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_merge_answers_with_the_changed_annotation() {
    let server = Server::start().await;
    let before = server.make(OWNER, tagged("a", "i", "car")).await;
    let patch = json!([{"id": "a", "input_id": "i", "data": {"concepts": [{"id": "van"}]}, "status": {"code": 24151}}]);
    let (http, body) = server.patch(OWNER, "merge", patch).await;
    assert_eq!((http, code(&body)), (200, 10000));
    let after = &body["annotations"][0];
    assert_eq!(
        after["data"]["concepts"],
        json!([{"id": "car", "value": 1.0}, {"id": "van", "value": 1.0}])
    );
    assert_eq!(after["status"]["code"], 24151);
    assert_eq!(after["created_at"], before["created_at"]);
    assert_ne!(after["modified_at"], before["modified_at"]);
    let (_, read) = server.get(OWNER, "/inputs/i/annotations/a").await;
    assert_eq!(&read["annotation"], after);
}

#[tokio::test]
async fn each_action_has_its_effect() {
    let server = Server::start().await;
    server.make(OWNER, boxed("a", "i", 0.1)).await;
    let region = |patch: Value| json!([{"id": "a", "input_id": "i", "data": {"regions": [patch]}}]);
    let (_, body) = server
        .patch(
            OWNER,
            "merge",
            region(json!({"region_info": {"bounding_box": {"top_row": 0.3}}})),
        )
        .await;
    let merged = body["annotations"][0]["data"]["regions"].clone();
    assert_eq!(
        merged.as_array().unwrap().len(),
        1,
        "a region without id is the stored one"
    );
    assert_eq!(
        merged[0]["region_info"]["bounding_box"],
        json!({"top_row": 0.3, "left_col": 0.2, "bottom_row": 0.9, "right_col": 0.8})
    );
    let id = &merged[0]["id"];
    let (_, body) = server
        .patch(
            OWNER,
            "remove",
            region(json!({"id": id, "data": {"concepts": [{"id": "car"}]}})),
        )
        .await;
    let removed = &body["annotations"][0]["data"]["regions"][0];
    assert_eq!(removed["data"]["concepts"], json!([]));
    assert_eq!(removed["region_info"], merged[0]["region_info"]);
    let point = json!({"region_info": {"point": {"row": 0.5, "col": 0.5}}});
    let (_, body) = server
        .patch(OWNER, "overwrite", region(point.clone()))
        .await;
    let replaced = &body["annotations"][0]["data"]["regions"][0];
    assert_eq!(replaced["region_info"], point["region_info"]);
    assert_ne!(&replaced["id"], id, "a new region gets a new id");
    let mut kept = point;
    kept["id"] = replaced["id"].clone();
    let (_, body) = server.patch(OWNER, "overwrite", region(kept)).await;
    assert_eq!(
        body["annotations"][0]["data"]["regions"][0]["id"],
        replaced["id"]
    );
}

#[tokio::test]
async fn a_patch_to_an_invalid_annotation_is_rejected() {
    let server = Server::start().await;
    let before = server.make(OWNER, boxed("a", "i", 0.1)).await;
    for bad in [
        json!({"regions": [{"id": "second"}]}),
        json!({"regions": [{"region_info": {"bounding_box": {"top_row": 0.95}}}]}),
        json!({"concepts": [{"id": "car", "value": 2}]}),
    ] {
        let patch = json!([{"id": "a", "input_id": "i", "data": bad, "status": {"code": 24151}}]);
        let (http, body) = server.patch(OWNER, "merge", patch).await;
        assert_eq!((http, codes(&body)), (400, vec![24155]), "{bad}");
    }
    let (_, read) = server.get(OWNER, "/inputs/i/annotations/a").await;
    assert_eq!(read["annotation"], before);
}

#[tokio::test]
async fn permissions_depend_on_owner_user_and_model() {
    let server = Server::start().await;
    server.make(OWNER, tagged("owners", "i", "car")).await;
    server.make(HELPER, tagged("helpers", "i", "car")).await;
    let mut planted = tagged("models", "i", "car");
    planted["model_version_id"] = json!("m1");
    server.emulator.seed(vec![planted]).await.unwrap();
    let patch = |ids: [&str; 4]| ids.map(|id| tagged(id, "i", "van"));
    let ids = ["owners", "helpers", "models", "missing"];
    let (http, body) = server.patch(HELPER, "merge", json!(patch(ids))).await;
    assert_eq!((http, code(&body)), (200, 10010));
    assert_eq!(codes(&body), [24156, 24150, 24156, 11101]);
    let (_, body) = server.patch(OWNER, "merge", json!(patch(ids))).await;
    assert_eq!(codes(&body), [24150, 24150, 24156, 11101]);
}

#[tokio::test]
async fn an_input_level_annotation_can_be_patched() {
    let server = Server::start().await;
    server.make(OWNER, tagged("a", "i", "car")).await;
    let all = server.emulator.annotations().await.unwrap();
    let id = all[0]["id"].as_str().unwrap();
    let (http, body) = server
        .patch(OWNER, "merge", json!([tagged(id, "i", "street")]))
        .await;
    assert_eq!(http, 200);
    assert_eq!(body["annotations"][0]["input_level"], true);
    assert_eq!(
        body["annotations"][0]["data"]["concepts"][0]["id"],
        "street"
    );
}

#[tokio::test]
async fn fields_of_the_server_are_not_patched() {
    let server = Server::start().await;
    let before = server.make(OWNER, tagged("a", "i", "car")).await;
    let patch = json!([{"id": "a", "input_id": "i", "user_id": "helper", "created_at": "2000-01-01T00:00:00Z", "model_version_id": "m", "input_level": true}]);
    let (http, body) = server.patch(OWNER, "merge", patch).await;
    assert_eq!(http, 200);
    let mut after = body["annotations"][0].clone();
    after["modified_at"] = before["modified_at"].clone();
    assert_eq!(after, before);
}

#[tokio::test]
async fn unknown_actions_and_wrong_numbers_of_items_are_rejected() {
    let server = Server::start().await;
    let one = json!([tagged("a", "i", "car")]);
    for (action, items) in [
        ("", &one),
        ("MERGE", &one),
        ("merge", &json!([])),
        ("merge", &json!(vec![one[0].clone(); 129])),
    ] {
        let (http, body) = server.patch(OWNER, action, items.clone()).await;
        assert_eq!((http, code(&body)), (400, 11102), "{action}");
    }
    let (http, _) = server
        .call(
            OWNER,
            Method::PATCH,
            "/annotations",
            json!({"annotations": one}),
        )
        .await;
    assert_eq!(http, 400);
}

#[tokio::test]
async fn an_emptied_annotation_is_deleted_only_on_request() {
    let server = Server::start().await;
    server.make(OWNER, tagged("a", "i", "car")).await;
    server.make(OWNER, tagged("b", "i", "car")).await;
    let remove = |id: &str, delete: bool| json!({"action": "remove", "delete_if_empty_data": delete, "annotations": [tagged(id, "i", "car")]});
    for (id, delete) in [("a", false), ("b", true)] {
        let (http, body) = server
            .call(OWNER, Method::PATCH, "/annotations", remove(id, delete))
            .await;
        assert_eq!(
            (http, &body["annotations"][0]["data"]["concepts"]),
            (200, &json!([]))
        );
    }
    assert_eq!(server.ids("").await, ["a"]);
    let all = server.emulator.annotations().await.unwrap();
    let level = all[0]["id"].as_str().unwrap();
    server
        .call(OWNER, Method::PATCH, "/annotations", remove(level, true))
        .await;
    assert_eq!(
        server.emulator.annotations().await.unwrap().len(),
        2,
        "an input keeps its input-level annotation"
    );
}

#[tokio::test]
async fn only_a_remove_deletes_an_emptied_annotation() {
    let server = Server::start().await;
    for (id, action, data) in [
        ("a", "merge", json!({"concepts": []})),
        ("b", "overwrite", json!({})),
        ("c", "overwrite", json!({"concepts": []})),
    ] {
        server.make(OWNER, tagged(id, "i", "car")).await;
        let patch = json!({"action": action, "delete_if_empty_data": true,
            "annotations": [{"id": id, "input_id": "i", "data": data}]});
        let (http, body) = server
            .call(OWNER, Method::PATCH, "/annotations", patch)
            .await;
        assert_eq!((http, codes(&body)), (200, vec![24150]), "{id}");
    }
    assert_eq!(server.ids("").await, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_remove_that_leaves_other_data_deletes_nothing() {
    let server = Server::start().await;
    let of = |data: Value| json!({"id": "a", "input_id": "i", "data": data});
    let both = json!({"concepts": [{"id": "car"}], "text": {"raw": "t"}});
    server.make(OWNER, of(both)).await;
    let remove = json!({"action": "remove", "delete_if_empty_data": true,
        "annotations": [of(json!({"concepts": [{"id": "car"}]}))]});
    let (http, _) = server
        .call(OWNER, Method::PATCH, "/annotations", remove)
        .await;
    assert_eq!((http, server.ids("").await), (200, vec!["a".to_owned()]));
}
