//! Seeding of annotations.

use super::{HELPER, OWNER, Server, codes, tagged};
use serde_json::{Value, json};

#[tokio::test]
async fn fields_of_the_server_are_kept() {
    let server = Server::start().await;
    let seeded = vec![
        json!({"id": "level", "input_id": "i", "input_level": true, "user_id": "ann",
            "created_at": "2024-01-01T00:00:00Z", "data": {"concepts": [{"id": "street", "value": 1.0}]}}),
        json!({"id": "m", "input_id": "i", "model_version_id": "m1", "created_at": "2024-01-02T00:00:00Z",
            "modified_at": "2024-01-03T00:00:00Z"}),
        json!({"id": "w", "input_id": "j", "worker": {"workflow": {"version": {"id": "w1"}}}, "task_id": "t"}),
        json!({"id": "u", "input_id": "j", "worker": {"user": {"id": "helper"}}, "status": {"code": 24151}}),
        json!({"id": "level-j", "input_id": "j", "input_level": true}),
    ];
    server.emulator.seed(seeded).await.unwrap();
    let all = server.emulator.annotations().await.unwrap();
    let [level, model, workflow, user, level_j] = &all[..] else {
        panic!("{all:#?}");
    };
    assert_eq!(
        (
            &level["id"],
            &level["input_level"],
            &level["user_id"],
            &level["created_at"]
        ),
        (
            &json!("level"),
            &json!(true),
            &json!("ann"),
            &json!("2024-01-01T00:00:00Z")
        )
    );
    assert_eq!(level["modified_at"], level["created_at"]);
    assert_eq!(
        model["worker"],
        json!({"model": {"model_version": {"id": "m1"}}})
    );
    assert_eq!(model["modified_at"], "2024-01-03T00:00:00Z");
    assert_eq!(
        workflow["worker"],
        json!({"workflow": {"version": {"id": "w1"}}})
    );
    assert_eq!(workflow["task_id"], "t");
    assert_eq!(
        (&user["user_id"], &user["status"]["code"]),
        (&json!("helper"), &json!(24151))
    );
    assert_eq!(
        (&level_j["id"], &level_j["input_level"]),
        (&json!("level-j"), &json!(true))
    );
    assert_eq!(
        server.ids("list_all_annotations=true").await,
        ["m", "w", "u"]
    );
    assert_eq!(server.ids("").await, ["u"], "workflows count as models");
    assert_eq!(server.ids("workflow_version_ids=w1").await, ["w"]);
    for (key, id, code) in [(OWNER, "w", 24156), (HELPER, "u", 24151)] {
        let patch = json!([tagged(id, "j", "car")]);
        let (_, body) = server.patch(key, "merge", patch).await;
        assert_eq!(codes(&body), [code], "{id}");
    }
}

#[tokio::test]
async fn a_listing_can_be_seeded_unchanged() {
    let server = Server::start().await;
    server.make(OWNER, tagged("a", "i", "car")).await;
    server.make(HELPER, tagged("b", "j", "car")).await;
    let model = json!({"id": "m", "input_id": "j", "model_version_id": "m1"});
    server.emulator.seed(vec![model]).await.unwrap();
    let listing = server.emulator.annotations().await.unwrap();
    let other = Server::start().await;
    other.emulator.seed(listing.clone()).await.unwrap();
    assert_eq!(other.emulator.annotations().await.unwrap(), listing);
}

#[tokio::test]
async fn existing_or_invalid_annotations_are_rejected_and_nothing_is_stored() {
    let server = Server::start().await;
    server.make(OWNER, tagged("a", "i", "car")).await;
    let before = server.emulator.annotations().await.unwrap();
    let level = |id: &str, input: &str| json!({"id": id, "input_id": input, "input_level": true});
    for (second, why) in [
        (
            tagged("a", "i", "van"),
            "input `i` already has an annotation `a`",
        ),
        (
            tagged("new", "j", "van"),
            "input `j` already has an annotation `new`",
        ),
        (
            level("l", "i"),
            "input `i` already has an input-level annotation",
        ),
        (json!({"id": "x"}), "annotation `x` has no `input_id`"),
        (json!("x"), "`\"x\"` is not an annotation"),
        (
            json!({"id": "x", "input_id": "i", "status": {"code": 7}}),
            "7 is not a status",
        ),
    ] {
        let error = server
            .emulator
            .seed(vec![tagged("new", "j", "car"), second])
            .await
            .unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(server.emulator.annotations().await.unwrap(), before);
    }
    let twice: Vec<Value> = vec![level("k", "j"), level("l", "j")];
    assert!(server.emulator.seed(twice).await.is_err());
}
