//! The assumptions, in the order in which they are tried: each leaves on the input what the next ones need.

use super::trial::{BOTH, FIRST, Finding, SECOND, Trial, Tried, Verdict, is, poll, read};
use crate::api::{ApiError, ItemResult, PatchAction, Processing, PurgeInputs};
use crate::model::{BoundingBox, Geometry};
use crate::wire::Annotation;
use crate::wire::encode::{self, Source};
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

/// Takes the trial, and tries one assumption.
type Try = for<'t> fn(&'t Trial<'t>) -> Pin<Box<dyn Future<Output = Tried> + Send + 't>>;

const ASSUMPTIONS: [(&str, Try); 15] = [
    ("a posted input is processed", |it| Box::pin(processed(it))),
    ("every input has an input-level annotation", |it| {
        Box::pin(input_level(it))
    }),
    ("a post of an existing input fails with code 30100", |it| {
        Box::pin(existing_input(it))
    }),
    ("GET /inputs?ids= lists the existing ones", |it| {
        Box::pin(inputs_by_id(it))
    }),
    ("ids that the client chose are kept", |it| {
        Box::pin(ids_are_kept(it))
    }),
    ("a post answers with the stored annotation", |it| {
        Box::pin(post_answers(it))
    }),
    (
        "a post of an existing id fails for it alone, and changes nothing",
        |it| Box::pin(existing_id(it)),
    ),
    ("coordinates are 32-bit floats", |it| Box::pin(floats(it))),
    ("merge adds concepts by id", |it| Box::pin(merge(it))),
    ("a patch answers with the stored annotation", |it| {
        Box::pin(patch_answers(it))
    }),
    ("remove removes the named concepts", |it| {
        Box::pin(remove(it))
    }),
    ("overwrite replaces data", |it| Box::pin(overwrite(it))),
    (
        "delete_if_empty_data deletes only what is empty after the removal",
        |it| Box::pin(delete_if_empty(it)),
    ),
    ("a delete of pairs deletes these alone", |it| {
        Box::pin(delete_pairs(it))
    }),
    (
        "a delete by input_ids spares the input-level annotation",
        |it| Box::pin(purge(it)),
    ),
];

/// Tries each assumption.
pub(super) async fn run(trial: &Trial<'_>) -> Vec<Finding> {
    let mut findings = Vec::with_capacity(ASSUMPTIONS.len());
    for (assumption, tried) in ASSUMPTIONS {
        let (verdict, seen) = match tried(trial).await {
            Ok(Ok(())) => (Verdict::Holds, String::new()),
            Ok(Err(seen)) => (Verdict::Fails, seen),
            Err(error) => (Verdict::Unknown, error.to_string()),
        };
        findings.push(Finding {
            assumption,
            verdict,
            seen,
        });
    }
    findings
}

/// Posts the input. It is an error if the service does not say that it accepted it.
pub(super) async fn post_input(trial: &Trial<'_>) -> Result<(), ApiError> {
    let text = Source::Raw("A text that annosync posted to try the API. It can be deleted.".into());
    let body = encode::input(trial.input, [("text", text)]);
    let posted = [(trial.input.clone(), body)];
    let refused = |why: String| ApiError::Unsendable(format!("its input was not accepted: {why}"));
    match trial.writer.post_inputs(&posted).await?.pop() {
        Some(ItemResult::Done(_)) => Ok(()),
        Some(ItemResult::Failed(error)) => Err(refused(error.to_string())),
        Some(ItemResult::Unknown) | None => Err(refused("the answer does not name it".to_owned())),
    }
}

/// Waits until the service has processed the input.
async fn processed(it: &Trial<'_>) -> Tried {
    let ended = poll(it.writer, it.input, |state| match state?.processing {
        Processing::Done => Some(Ok(())),
        Processing::Failed(error) => Some(Err(error.to_string())),
        Processing::Waiting => None,
    });
    let ended = ended.await?;
    Ok(ended.unwrap_or_else(|| Err("it is still waiting".to_owned())))
}

async fn input_level(it: &Trial<'_>) -> Tried {
    let listed = it.listed().await?;
    let levels = listed.iter().filter(|it| it.input_level).count();
    Ok(is(levels == 1, || format!("there are {levels}")))
}

async fn existing_input(it: &Trial<'_>) -> Tried {
    let text = Source::Raw("The same id again.".into());
    let body = encode::input(it.input, [("text", text)]);
    let results = it.writer.post_inputs(&[(it.input.clone(), body)]).await?;
    Ok(match results.first() {
        Some(ItemResult::Failed(error)) => is(error.is_duplicate_input(), || error.to_string()),
        _ => Err("it was accepted".to_owned()),
    })
}

async fn inputs_by_id(it: &Trial<'_>) -> Tried {
    let ids = BTreeSet::from([it.input.to_string(), format!("{}-missing", it.input)]);
    let found = it.writer.reader().inputs(&ids).await?;
    Ok(is(found.len() == 1, || {
        format!("it listed {} of 1", found.len())
    }))
}

async fn ids_are_kept(it: &Trial<'_>) -> Tried {
    it.post(&[it.whole("a", FIRST)]).await?;
    let names = it.names().await?;
    Ok(is(names == ["a"], || {
        format!("it stored {}", names.join(", "))
    }))
}

async fn post_answers(it: &Trial<'_>) -> Tried {
    let answer = it.post(&[it.whole("b", BOTH)]).await?.pop();
    Ok(has_both(it, answer))
}

/// Whether an answer has the annotation with both concepts.
fn has_both(it: &Trial<'_>, answer: Option<ItemResult<Annotation>>) -> Result<(), String> {
    let Some(ItemResult::Done(annotation)) = answer else {
        return Err("the answer does not name it".to_owned());
    };
    let words = read(annotation).map(|stored| it.words(&stored.concepts));
    let words = words.unwrap_or_default();
    is(words == "first and second", || {
        format!("the answer has {words}")
    })
}

async fn existing_id(it: &Trial<'_>) -> Tried {
    let results = it
        .post(&[it.whole("a", SECOND), it.whole("c", FIRST)])
        .await?;
    let is_refused = matches!(results.first(), Some(ItemResult::Failed(_)));
    let (stored, names) = (it.stored_concepts("a").await?, it.names().await?);
    Ok(
        is(is_refused, || "the existing one was not refused".to_owned())
            .and_then(|()| {
                is(stored == "first", || {
                    format!("the existing one has {stored} now")
                })
            })
            .and_then(|()| {
                is(names == ["a", "b", "c"], || {
                    format!("there are {}", names.join(", "))
                })
            }),
    )
}

async fn floats(it: &Trial<'_>) -> Tried {
    let edges = BoundingBox::new(0.123_456_789, 0.2, 0.9, 0.987_654_321);
    let geometry = Geometry::Box(edges.expect("the edges are in order"));
    let content = it.content(FIRST, geometry.clone());
    it.post(&[it.body("box", &content)]).await?;
    let stored = it.stored("box").await?.map(|stored| stored.geometry);
    it.delete("box").await?;
    Ok(is(stored.as_ref() == Some(&geometry), || {
        format!("it stored {stored:?}")
    }))
}

async fn merge(it: &Trial<'_>) -> Tried {
    it.patch(PatchAction::Merge, it.whole("a", SECOND)).await?;
    let stored = it.stored_concepts("a").await?;
    Ok(is(stored == "first and second", || {
        format!("it has {stored}")
    }))
}

async fn patch_answers(it: &Trial<'_>) -> Tried {
    let answer = it.patch(PatchAction::Merge, it.whole("a", SECOND)).await?;
    Ok(has_both(it, Some(answer)))
}

async fn remove(it: &Trial<'_>) -> Tried {
    it.patch(PatchAction::Remove, it.whole("a", FIRST)).await?;
    let stored = it.stored_concepts("a").await?;
    Ok(is(stored == "second", || format!("it has {stored}")))
}

async fn overwrite(it: &Trial<'_>) -> Tried {
    it.patch(PatchAction::Overwrite, it.whole("a", FIRST))
        .await?;
    let stored = it.stored_concepts("a").await?;
    Ok(is(stored == "first", || format!("it has {stored}")))
}

async fn delete_if_empty(it: &Trial<'_>) -> Tried {
    // `b` has both concepts, and `c` only the first.
    it.patch(PatchAction::RemoveOrDelete, it.whole("b", FIRST))
        .await?;
    it.patch(PatchAction::RemoveOrDelete, it.whole("c", FIRST))
        .await?;
    let names = it.names().await?;
    Ok(is(names == ["a", "b"], || {
        format!("there are {}", names.join(", "))
    }))
}

async fn delete_pairs(it: &Trial<'_>) -> Tried {
    it.delete("b").await?;
    let names = it.names().await?;
    Ok(is(names == ["a"], || {
        format!("there are {}", names.join(", "))
    }))
}

async fn purge(it: &Trial<'_>) -> Tried {
    let input = PurgeInputs::new(vec![it.input.to_string()]).expect("there is one id");
    if let Some(objection) = it.writer.purge(&input).await? {
        return Ok(Err(objection.to_string()));
    }
    let listed = it.listed().await?;
    let levels = listed.iter().filter(|it| it.input_level).count();
    Ok(is(levels == 1 && listed.len() == 1, || {
        format!(
            "{levels} input-level and {} others are left",
            listed.len() - levels
        )
    }))
}
