//! What a plan needs to know about an app besides its annotations: which declared inputs and concepts are missing, and
//! the media of missing inputs.

use super::exit::Failure;
use super::output;
use super::progress::Progress;
use super::session::{CreateInputs, Session};
use crate::apply::InputFiles;
use crate::manifest::{InputText, InputVideo, Manifest, MediaFolder, MediumContent};
use crate::model::{ConceptId, DesiredInput, InputId, ObservedState, hex};
use crate::observed;
use crate::plan::{Inventory, Medium, MediumKind, MediumSource, Missing, PlannedInput, Vocabulary};
use crate::render::counted;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

/// How many inputs that cannot be posted are listed.
const MAX_LISTED: usize = 20;

/// Asks the app for what the listing does not show; no calls are made if it shows everything.
pub(crate) async fn learn(
    session: &Session,
    manifest: &Manifest,
    observed: &ObservedState,
    create: CreateInputs,
) -> Result<Inventory, Failure> {
    let (reader, desired) = (session.reader(), &manifest.desired);
    let progress = Progress::reading(reader);
    let lacking = observed::missing_inputs(reader, desired, observed).await?;
    let waiting = match create {
        CreateInputs::Yes => observed::waiting_inputs(reader, desired, observed).await?,
        CreateInputs::No => std::collections::BTreeSet::new(),
    };
    let new_concepts = observed::new_concepts(reader, desired, observed).await?;
    drop(progress);
    let missing = match create {
        CreateInputs::Yes => to_post(manifest, &lacking)?,
        CreateInputs::No => lacking
            .into_iter()
            .map(|(input, nearest)| (input, Missing::Error(nearest)))
            .collect(),
    };
    Ok(Inventory {
        missing,
        waiting,
        new_concepts,
        vocabulary: vocabulary(manifest),
        blind_spots: Vec::new(),
    })
}

fn vocabulary(manifest: &Manifest) -> Vocabulary {
    if manifest.vocabulary_of_app {
        Vocabulary::App
    } else {
        Vocabulary::Open
    }
}

/// The inventory without the app: what the listing does not show becomes a blind spot.
pub(crate) fn offline(manifest: &Manifest, observed: &ObservedState) -> Inventory {
    let mut blind_spots = Vec::new();
    let unseen = observed::unseen_inputs(&manifest.desired, observed);
    if !unseen.is_empty() {
        blind_spots.push(format!(
            "whether the app has {} that the listing does not show: {}",
            counted(unseen.len() as u64, "declared input"),
            first_names(unseen.iter().map(InputId::as_str))
        ));
    }
    let concepts = observed::unseen_concepts(&manifest.desired, observed);
    if manifest.vocabulary_of_app && !concepts.is_empty() {
        blind_spots.push(format!(
            "whether the app has {} that no listed annotation names (vocabulary: app): {}",
            counted(concepts.len() as u64, "declared concept"),
            first_names(concepts.iter().map(ConceptId::as_str))
        ));
    }
    Inventory {
        blind_spots,
        ..Inventory::default()
    }
}

fn first_names<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const NAMED: usize = 5;
    let more = names.len().saturating_sub(NAMED);
    let mut text = names.take(NAMED).collect::<Vec<_>>().join(", ");
    if more > 0 {
        let _ = write!(text, ", and {more} more");
    }
    text
}

/// The media of missing inputs. Files are read only for their hashes.
fn to_post(
    manifest: &Manifest,
    lacking: &BTreeMap<InputId, Option<InputId>>,
) -> Result<BTreeMap<InputId, Missing>, Failure> {
    let inputs: Vec<&DesiredInput> = manifest
        .desired
        .inputs
        .iter()
        .filter(|input| lacking.contains_key(&input.id))
        .collect();
    let read: Vec<Result<Vec<Medium>, String>> = inputs
        .par_iter()
        .map(|input| media(manifest, input))
        .collect();
    let mut missing = BTreeMap::new();
    let mut problems = Vec::new();
    for (input, read) in inputs.into_iter().zip(read) {
        match read {
            Ok(media) if media.is_empty() => {
                let nearest = lacking[&input.id].clone();
                missing.insert(input.id.clone(), Missing::Nothing(nearest));
            }
            Ok(media) => {
                missing.insert(input.id.clone(), Missing::Posted(media));
            }
            Err(problem) => problems.push((input.origin, problem)),
        }
    }
    if problems.is_empty() {
        return Ok(missing);
    }
    let all = problems.len();
    problems.truncate(MAX_LISTED);
    let origins: Vec<_> = problems.iter().map(|(origin, _)| *origin).collect();
    for ((_, problem), place) in problems.iter().zip(manifest.locate_all(&origins)) {
        let place = place.map_or_else(String::new, |place| {
            format!("{}:{}:{}: ", place.path.display(), place.line, place.column)
        });
        output::message(&format!("error: {place}{problem}"));
    }
    if all > MAX_LISTED {
        output::message(&format!("error: and {} more", all - MAX_LISTED));
    }
    Err(Failure::new(format!(
        "{} cannot be posted; nothing was sent",
        counted(all as u64, "input")
    )))
}

/// The first posted input with other media than in the manifest.
pub(crate) fn undeclared<'i>(
    manifest: &Manifest,
    inputs: &'i [PlannedInput],
) -> Option<&'i InputId> {
    let declared: HashMap<&InputId, &DesiredInput> = (manifest.desired.inputs.iter())
        .map(|input| (&input.id, input))
        .collect();
    let is_declared = |input: &PlannedInput| {
        let declared = declared.get(&input.input_id);
        declared.is_some_and(|it| media(manifest, it).is_ok_and(|media| media == input.media))
    };
    let posted = inputs.par_iter().filter(|input| input.is_posted());
    let other = posted.find_first(|input| !is_declared(input))?;
    Some(&other.input_id)
}

fn media(manifest: &Manifest, input: &DesiredInput) -> Result<Vec<Medium>, String> {
    let mut media = Vec::new();
    let file = |kind: MediumKind, written: &str| -> Result<Medium, String> {
        let say = |(message, hint): (String, &'static str)| {
            format!(
                "the {} of input `{}`: {message}\nhint: {hint}",
                kind.word(),
                input.id
            )
        };
        let path = manifest.medium_path(input.origin, written).map_err(say)?;
        let bytes = manifest
            .media_folder
            .read(&path, content(kind))
            .map_err(say)?;
        if bytes.is_empty() {
            let message = format!("the file `{path}` is empty");
            return Err(say((message, "name the file that contains it")));
        }
        let sha256 = hex(&Sha256::digest(&bytes));
        let source = MediumSource::File {
            path,
            sha256,
            bytes: bytes.len() as u64,
        };
        Ok(Medium { kind, source })
    };
    let url = |kind: MediumKind, url: &str| Medium {
        kind,
        source: MediumSource::Url {
            url: url.to_owned(),
        },
    };
    if let Some(image) = manifest.images.get(&input.id) {
        if let Some(path) = &image.path {
            media.push(file(MediumKind::Image, path)?);
        }
        media.extend(image.url.as_ref().map(|it| url(MediumKind::Image, it)));
    }
    match manifest.input_video(&input.id) {
        Some(InputVideo::Path(path)) => media.push(file(MediumKind::Video, &path)?),
        Some(InputVideo::Url(it)) => media.push(url(MediumKind::Video, &it)),
        None => {}
    }
    match manifest.input_text(&input.id) {
        Some(InputText::Path(path)) => media.push(file(MediumKind::Text, &path)?),
        Some(InputText::Url(it)) => media.push(url(MediumKind::Text, &it)),
        Some(InputText::Raw(raw)) => media.push(Medium {
            kind: MediumKind::Text,
            source: MediumSource::Raw { raw: raw.into() },
        }),
        None => {}
    }
    Ok(media)
}

fn content(kind: MediumKind) -> MediumContent {
    match kind {
        MediumKind::Image | MediumKind::Video => MediumContent::Bytes,
        MediumKind::Text => MediumContent::Text,
    }
}

/// Reads the files of a manifest that are posted.
#[derive(Debug)]
pub(crate) struct ManifestFiles(pub(crate) MediaFolder);

impl InputFiles for ManifestFiles {
    fn read(&self, path: &str, kind: MediumKind) -> Result<Vec<u8>, String> {
        let read = self.0.read(path, content(kind));
        read.map_err(|(message, hint)| format!("{message} ({hint})"))
    }
}
