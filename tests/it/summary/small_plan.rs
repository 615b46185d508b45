//! A small plan with everything in it, in every format.

use super::{BOX, declared, of};
use crate::support::{boxed, desired, observed, plan};
use annosync::plan::Plan;
use annosync::render;
use insta::assert_snapshot;

/// A plan with a bit of everything, which the tests below show in every format.
fn small_plan() -> Plan {
    let listing = [
        of(boxed("a", "1", BOX, &["car"]), "bea"),
        boxed("b", "2", BOX, &["car"]),
    ];
    let inputs = declared(
        "a",
        &["id: '1', box: { top: 0.1, left: 0.1, bottom: 0.3, right: 0.4 }, concepts: [bus]"],
    ) + &declared("b", &[])
        + &declared("c", &["concepts: [car]"]);
    plan(&desired(&inputs), &observed(&listing))
}

#[test]
fn a_small_plan_as_text() {
    assert_snapshot!(render::text(&small_plan(), &render::TextOptions::default()), @r"
    Label set street on me-1/street at https://api.clarifai.com, policy sync: 1 to post, 1 to overwrite, 1 to delete.
    App: https://clarifai.com/me-1/street

    Note: needs the app's owner: 1 change to annotations of bea, 1 change to annotations of me-1.

    Other people's work: bea 1 changed
    Left without labels (1 input): b
    Classes: bus 0 -> 1 (+1); car 2 -> 1 (-1)
    Relabelled: car -> bus (1)
    Moved (1 annotation): a 1 IoU 0.66

    b
      - delete box [car] 2: top left, 4.0 % of the image; by me-1 (not declared)

    a
      ~ overwrite box [car -> bus] 1: top left, 6.0 % of the image; IoU 0.66 (matched: id)

    c
      + post whole input [car] as-…-3aca0981…

    Plan: 1 to post, 1 to overwrite, 1 to delete. 3 calls (lower bound 3), about 0.2 s at 15 calls/s.
    ");
}

#[test]
fn a_small_plan_as_markdown() {
    assert_snapshot!(render::markdown(&small_plan(), &render::MarkdownOptions::default()), @r#"
    <!-- annosync:plan street me-1/street -->
    ## annosync plan: 1 to post, 1 to overwrite, 1 to delete

    Label set `street` on `me-1/street` at `https://api.clarifai.com`, policy `sync`. 3 calls (lower bound 3), about 0.2 s at 15 calls/s.

    | post | overwrite | delete |
    | ---: | ---: | ---: |
    | 1 | 1 | 1 |

    > **Note:** needs the app's owner: 1 change to annotations of `bea`, 1 change to annotations of `me-1`.

    ### Other people's work

    | user | changed | deleted |
    | --- | ---: | ---: |
    | `bea` | 1 |  |

    ### Left without labels (1 input)

    `b`

    ### Classes

    | class | before | after | change |
    | --- | ---: | ---: | ---: |
    | `bus` | 0 | 1 | +1 |
    | `car` | 2 | 1 | -1 |

    ### Relabelled

    | from | to | annotations |
    | --- | --- | ---: |
    | `car` | `bus` | 1 |

    ### Moved (1 annotation)

    | input | annotation | before and after |
    | --- | --- | --- |
    | `a` | `1` | IoU 0.66 |

    ### Deletes

    | input | change | user | reason |
    | --- | --- | --- | --- |
    | `b` | delete `box [car] 2` | `me-1` | not declared |

    ### Changes by input

    <details open><summary><a href="https://clarifai.com/me-1/street/inputs/b"><code>b</code></a>: 1 to delete</summary>

    ```diff
    - delete box [car] 2: top left, 4.0 % of the image; by me-1 (not declared)
    ```

    </details>

    <details open><summary><a href="https://clarifai.com/me-1/street/inputs/a"><code>a</code></a>: 1 to overwrite</summary>

    ```diff
    ! overwrite box [car -> bus] 1: top left, 6.0 % of the image; IoU 0.66 (matched: id)
    ```

    </details>

    <details open><summary><a href="https://clarifai.com/me-1/street/inputs/c"><code>c</code></a>: 1 to post</summary>

    ```diff
    + post whole input [car] as-…-3aca0981…
    ```

    </details>
    "#);
}

/// The JSON of the small plan without hashes and versions: its head, and its writes.
fn small_plan_as_json() -> (String, String) {
    let is_shown = |line: &&str| {
        let hidden = ["fingerprint", "tool_version", "manifest_hash"];
        hidden.iter().all(|name| !line.contains(name))
    };
    let json = render::json(&small_plan());
    let lines: Vec<&str> = json.lines().filter(is_shown).collect();
    let json = lines.join("\n");
    let (head, rest) = json.split_once("  \"operations\"").unwrap();
    (head.to_owned(), format!("  \"operations\"{rest}"))
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "the snapshots contain the whole output"
)]
fn the_head_of_a_small_plan_as_json() {
    assert_snapshot!(small_plan_as_json().0, @r#"
    {
      "format_version": "2.0",
      "target": {
        "endpoint": "https://api.clarifai.com",
        "user_id": "me-1",
        "app_id": "street"
      },
      "set": "street",
      "policy": "sync",
      "app_owner": "me-1",
      "owners": [
        "me-1"
      ],
      "summary": {
        "post": 1,
        "merge": 0,
        "overwrite": 1,
        "remove": 0,
        "replace": 0,
        "delete": 1,
        "unchanged": 0,
        "unmanaged": 0,
        "other_sets": 0,
        "existing": 1,
        "changeable": 2,
        "ambiguous": 0,
        "held_back": {
          "updates": 0,
          "deletes": 0
        },
        "others": [
          {
            "user": "bea",
            "changed": 1,
            "deleted": 0
          }
        ],
        "needs": [
          {
            "user": "bea",
            "changes": 1,
            "posts": 0
          },
          {
            "user": "me-1",
            "changes": 1,
            "posts": 0
          }
        ],
        "emptied": [
          "b"
        ],
        "classes": [
          {
            "concept": "bus",
            "before": 0,
            "after": 1
          },
          {
            "concept": "car",
            "before": 2,
            "after": 1
          }
        ],
        "relabelled": [
          {
            "from": [
              "car"
            ],
            "to": [
              "bus"
            ],
            "count": 1
          }
        ],
        "moved": {
          "histogram": [
            0,
            0,
            0,
            0,
            0,
            0,
            1,
            0,
            0,
            0
          ],
          "unmeasured": 0,
          "largest": [
            {
              "input_id": "a",
              "id": "1",
              "measure": "iou",
              "overlap": 666667
            }
          ]
        },
        "calls": 3,
        "lower_bound": 3,
        "rate_limit": 15,
        "seconds": 0.2
      },
      "guards": [],
      "blind_spots": [],
    "#);
}

#[test]
fn the_writes_of_a_small_plan_as_json() {
    assert_snapshot!(small_plan_as_json().1, @r#"
        "operations": [
          {
            "action": "overwrite",
            "input_id": "a",
            "id": "1",
            "reason": "differs",
            "needs": "bea",
            "seen": {
              "user": "bea",
              "modified_at": "2026-01-01T00:00:00Z"
            },
            "matched": {
              "by": "id"
            },
            "before": {
              "box": {
                "top": 0.1,
                "left": 0.1,
                "bottom": 0.3,
                "right": 0.3
              },
              "concepts": {
                "car": 1
              }
            },
            "after": {
              "box": {
                "top": 0.1,
                "left": 0.1,
                "bottom": 0.3,
                "right": 0.4
              },
              "concepts": {
                "bus": 1
              }
            },
            "bytes": 206
          },
          {
            "action": "delete",
            "input_id": "b",
            "id": "2",
            "reason": "not_declared",
            "needs": "me-1",
            "seen": {
              "user": "me-1",
              "modified_at": "2026-01-01T00:00:00Z"
            },
            "before": {
              "box": {
                "top": 0.1,
                "left": 0.1,
                "bottom": 0.3,
                "right": 0.3
              },
              "concepts": {
                "car": 1
              },
              "status": "success",
              "user": "me-1"
            },
          },
          {
            "action": "post",
            "input_id": "c",
            "id": "as-6008c26f-3aca0981707321e81794",
            "reason": "not_on_remote",
            "after": {
              "concepts": {
                "car": 1
              }
            },
            "bytes": 103
          }
        ],
        "batches": [
          {
            "call": "overwrite",
            "operations": [
              0
            ]
          },
          {
            "call": "post",
            "operations": [
              2
            ]
          },
          {
            "call": "delete",
            "operations": [
              1
            ]
          }
        ]
      }
    "#);
}
