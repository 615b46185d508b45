//! Findings, and the view of one input that the rules work on.

use crate::manifest::Spot;
use crate::model::{
    Content, DesiredAnnotation, DesiredInput, Identity, InputId, Level, Origin, Rule, hex,
};
use sha2::{Digest, Sha256};

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub rule: Rule,
    /// `Warn` or `Error`.
    pub level: Level,
    pub spot: Spot,
    pub message: String,
    /// What to do.
    pub hint: String,
    /// Another place, and a label for it: "the other is at".
    pub related: Option<(&'static str, Spot)>,
    /// Its input, if it is about one.
    pub input: Option<InputId>,
    /// What it is about, independent of lines and of the order of the file: keys and ids, or hashes of contents.
    pub subject: String,
    /// The annotations of the input that it is about, by index.
    pub(super) annotations: Vec<usize>,
    pub(super) fix: Option<Fix>,
}

/// What `--fix` does about a finding. Annotations are named by their index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fix {
    Drop(usize),
    /// Drop the last point of the polygon.
    Trim(usize),
    /// Put the frames of the input in order.
    Order,
}

impl Finding {
    /// A finding about the whole manifest.
    pub(super) fn new(rule: Rule, spot: Spot, message: String, hint: impl Into<String>) -> Self {
        Self {
            rule,
            level: rule.default_level(),
            spot,
            message,
            hint: hint.into(),
            related: None,
            input: None,
            subject: String::new(),
            annotations: Vec::new(),
            fix: None,
        }
    }

    /// A hash of the rule, the input and the subject.
    pub fn identity(&self) -> String {
        let input = self.input.as_ref().map_or("", InputId::as_str);
        let parts = [self.rule.name(), input, &self.subject];
        hex(&Sha256::digest(parts.join("\0").as_bytes())[..16])
    }

    /// Whether `--fix` can do something about it.
    pub fn is_fixable(&self) -> bool {
        self.fix.is_some()
    }
}

/// One input, and the findings on it so far.
#[derive(Debug)]
pub(super) struct Checked<'a> {
    pub(super) input: &'a DesiredInput,
    /// Width and height of its image in pixels, if known.
    pub(super) size: Option<[u32; 2]>,
    pub(super) findings: Vec<Finding>,
}

impl Checked<'_> {
    pub(super) fn origin(&self, annotation: usize) -> Origin {
        self.input.annotations[annotation].origin
    }

    /// Reports a finding on the input itself.
    pub(super) fn report(
        &mut self,
        rule: Rule,
        spot: Spot,
        message: String,
        hint: impl Into<String>,
    ) -> &mut Finding {
        let finding = Finding {
            input: Some(self.input.id.clone()),
            ..Finding::new(rule, spot, message, hint)
        };
        self.findings.push(finding);
        self.findings.last_mut().expect("one was just pushed")
    }

    /// Reports a finding on annotations; the first is the one to look at.
    pub(super) fn report_on(
        &mut self,
        rule: Rule,
        annotations: &[usize],
        spot: Spot,
        message: String,
        hint: impl Into<String>,
    ) -> &mut Finding {
        let mut subjects: Vec<String> = annotations
            .iter()
            .map(|at| subject(&self.input.annotations[*at]))
            .collect();
        // Which of the two is reported depends on their order in the file.
        subjects.sort_unstable();
        let other = annotations.get(1).map(|at| self.origin(*at));
        let finding = self.report(rule, spot, message, hint);
        finding.subject = subjects.join(" and ");
        finding.annotations = annotations.to_vec();
        finding.related = other.map(|origin| ("the other is at", Spot::Declaration(origin)));
        finding
    }
}

/// What identifies an annotation: its key or id, else a hash of its content.
fn subject(annotation: &DesiredAnnotation) -> String {
    match &annotation.identity {
        Identity::Key(key) => format!("key {key}"),
        Identity::Id(id) => format!("id {id}"),
        Identity::InputLevel => "input_level".to_owned(),
        Identity::Content => {
            let digest = Sha256::digest(written(&annotation.content).as_bytes());
            format!("content {}", hex(&digest[..8]))
        }
    }
}

/// The content as JSON: the same for equal contents.
pub(super) fn written(content: &Content) -> String {
    serde_json::to_string(content).expect("names, finite numbers and checked JSON can be written")
}
