//! Any text as a plan file: it is refused, or can be shown as text and as Markdown, printed as calls, and written again
//! unchanged.

use annosync::apply::{self, Preview};
use annosync::plan::{self, Due};
use annosync::render::{self, Color, Detail, MARKDOWN_LIMIT, MarkdownOptions, TextOptions};

/// Checks the above for these bytes.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(Some(plan)) = plan::read(text) else {
        return;
    };
    for (detail, width) in [(Detail::First200, None), (Detail::Full, Some(40))] {
        harmless(&render::text(
            &plan,
            &TextOptions {
                detail,
                color: Color::Never,
                width,
                ..TextOptions::default()
            },
        ));
    }
    let comment = render::markdown(&plan, &MarkdownOptions::default());
    harmless(&comment);
    assert!(comment.len() <= MARKDOWN_LIMIT, "{}", comment.len());
    let nothing = annosync::model::Json::new("{}").expect("it is JSON");
    let preview = Preview {
        operations: vec![Due::Sent(Some(nothing)); plan.operations.len()],
        purges: vec![Due::Sent(None); plan.purges.len()],
    };
    let calls = apply::calls(&plan, &preview).expect("a plan's calls can be sent");
    let calls = render::calls(&plan.target, &calls);
    harmless(&calls);
    assert_eq!(calls.lines().count(), plan.batches.len());
    for call in calls.lines() {
        let call: serde_json::Value = serde_json::from_str(call).expect("a call is JSON");
        assert!(
            call["method"].is_string() && call["path"].is_string(),
            "{call}"
        );
    }
    let file = render::json(&plan);
    harmless(&file);
    let read = plan::read(&file).unwrap_or_else(|error| panic!("{error}\n{file}"));
    assert_eq!(read.as_ref(), Some(&plan), "{file}");
}

fn harmless(text: &str) {
    let harmful = text
        .chars()
        .find(|c| *c != '\n' && render::escape(c.encode_utf8(&mut [0; 4])) != c.to_string());
    assert_eq!(harmful, None, "{text:?}");
}
