//! The pictures and texts of a review: finds them, reads or fetches them, scales them, and says what is missing.
//!
//! A picture that cannot be read is a note and never an error.

mod notes;
mod sources;

use super::files;
use super::output::is_in_git;
use super::session::Session;
use super::values;
use crate::api::PictureClient;
use crate::drawing::{Area, Backdrop, CROP_SIDE, Crop, Picture, SCALED_SIDE, data_uri};
use crate::manifest::{Pipes, read_bytes};
use crate::model::{Content, InputId, TextFault, detect_pointer};
use crate::render::{ShownInput, Surroundings};
use notes::Notes;
use rayon::prelude::*;
use sources::{Found, Index, Place};
pub(crate) use sources::{Imported, Source, Sources};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use url::Url;

const HEADING: &str = "Pictures (of the formats that show them)";

/// The largest picture file in bytes that is read or fetched.
const MOST_FILE_BYTES: u64 = 64 << 20;

/// How many pictures are read before those that were read count against the limit of bytes.
const BATCH: usize = 16;

/// The maximum number of enlarged parts of one picture.
const MOST_CROPS: usize = 30;

/// The largest number of bytes of all texts.
const MOST_TEXT_BYTES: usize = 4 << 20;

/// The flags of pictures.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// How pictures are shown: within the page, as links to their files, or not at all
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Images::Inline, help_heading = HEADING)]
    images: Images,
    /// Look in this folder for pictures that the labels do not name, or that are not where they name them: by path,
    /// by file name, and by the input's id
    #[arg(long = "pictures", value_name = "DIR", value_parser = picture_folder, help_heading = HEADING)]
    folder: Option<PathBuf>,
    /// Fetch pictures that have no file from the URLs of the manifest and of the app's inputs, without a proxy. The token is
    /// not sent, and addresses of private networks are refused, except the endpoint's host
    #[arg(long, help_heading = HEADING)]
    fetch_images: bool,
    /// Read at most N pictures
    #[arg(long, value_name = "N", default_value_t = 200, help_heading = HEADING)]
    max_pictures: usize,
    /// Stop reading pictures once those shown have this many bytes, scaled and compressed
    #[arg(long, value_name = "BYTES", default_value_t = 12_000_000, help_heading = HEADING)]
    max_picture_bytes: u64,
}

fn picture_folder(text: &str) -> Result<PathBuf, String> {
    let folder = values::folder(text)?;
    let real = folder.canonicalize().unwrap_or_else(|_| folder.clone());
    if is_in_git(&folder) || is_in_git(&real) {
        return Err("it is a folder of git (.git), which has no pictures".to_owned());
    }
    Ok(folder)
}

/// How pictures are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Images {
    /// Scaled down, within the page
    Inline,
    /// Links to files and URLs
    Link,
    /// Shapes on a blank canvas
    None,
}

impl Args {
    /// The same flags for a format that has no links.
    pub(crate) fn without_links(&self) -> Self {
        Self {
            images: match self.images {
                Images::Link => Images::Inline,
                other => other,
            },
            ..self.clone()
        }
    }

    /// Whether pages link to pictures.
    pub(crate) fn are_links(&self) -> bool {
        self.images == Images::Link
    }

    /// Asks the app for the URLs of pictures that have no file, if --fetch-images is given.
    pub(crate) async fn ask_app(
        &self,
        session: &Session,
        sources: &mut Sources<'_>,
        shown: &[ShownInput],
    ) {
        if !self.fetch_images || self.images == Images::None {
            return;
        }
        let index = self.index();
        let lacks_picture = |input: &&ShownInput| {
            let found = sources.find(&input.id, index.as_ref());
            found.may_have_picture && found.place.is_none() && !input.is_text_or_video
        };
        let lacking = shown.iter().filter(lacks_picture);
        let lacking: BTreeSet<String> = lacking
            .take(self.max_pictures)
            .map(|input| input.id.to_string())
            .collect();
        if lacking.is_empty() {
            return;
        }
        match session.reader().image_urls(&lacking).await {
            Ok(urls) => {
                let urls = urls.into_iter();
                sources.urls = urls
                    .filter_map(|(id, url)| Some((InputId::new(id).ok()?, url)))
                    .collect();
            }
            Err(error) => {
                sources.problem = Some(format!("the app did not name its pictures: {error}"));
            }
        }
    }

    fn index(&self) -> Option<Index> {
        self.folder.as_deref().map(Index::of)
    }
}

/// What the changes of these inputs are shown among: backdrops, and notes about what is missing.
pub(crate) async fn surroundings(
    args: &Args,
    sources: &Sources<'_>,
    shown: &[ShownInput],
    unchanged: BTreeMap<InputId, Vec<Content>>,
) -> Surroundings {
    let index = args.index();
    let inputs: Vec<Wanted<'_>> = wanted(shown)
        .into_par_iter()
        .map(|(input, areas)| {
            let mut found = sources.find(&input.id, index.as_ref());
            // Of an unknown input, only its labels say what it is.
            found.may_have_picture &= found.place.is_some() || !input.is_text_or_video;
            let id = &input.id;
            Wanted { id, areas, found }
        })
        .collect();
    let mut gathering = Gathering {
        args,
        backdrops: BTreeMap::new(),
        notes: Notes::default(),
    };
    gathering.add_sizes_and_texts(sources, &inputs);
    match args.images {
        Images::Inline => gathering.read_pictures(&inputs, &sources.endpoint).await,
        Images::Link => gathering.add_links(&inputs, &sources.page_folder),
        Images::None => {}
    }
    for (id, note) in gathering.notes.of_inputs() {
        let backdrop = gathering.backdrops.entry(id).or_default();
        backdrop.notes.push(note);
    }
    let mut notes = gathering.notes.sentences();
    notes.extend(sources.problem.clone());
    Surroundings {
        backdrops: gathering.backdrops,
        unchanged,
        notes,
    }
}

/// An input with changes.
struct Wanted<'a> {
    id: &'a InputId,
    /// The areas to enlarge.
    areas: Vec<Area>,
    found: Found,
}

/// Every input once, in the order of the changes.
fn wanted(shown: &[ShownInput]) -> Vec<(&ShownInput, Vec<Area>)> {
    let mut inputs: Vec<(&ShownInput, Vec<Area>)> = Vec::new();
    let mut places: BTreeMap<&InputId, usize> = BTreeMap::new();
    for input in shown {
        let at = *places.entry(&input.id).or_insert_with(|| {
            inputs.push((input, Vec::new()));
            inputs.len() - 1
        });
        for area in &input.areas {
            if !inputs[at].1.contains(area) {
                inputs[at].1.push(*area);
            }
        }
    }
    inputs
}

struct Gathering<'a> {
    args: &'a Args,
    backdrops: BTreeMap<InputId, Backdrop>,
    notes: Notes,
}

impl Gathering<'_> {
    fn add_sizes_and_texts(&mut self, sources: &Sources<'_>, inputs: &[Wanted<'_>]) {
        let texts: Vec<Result<Option<String>, String>> =
            inputs.par_iter().map(|it| sources.text(it.id)).collect();
        let mut bytes = 0;
        for (input, text) in inputs.iter().zip(texts) {
            let text = match text {
                Ok(text) => text,
                Err(why) => {
                    self.notes.texts.push((input.id.clone(), why));
                    None
                }
            };
            bytes += text.as_ref().map_or(0, String::len);
            let is_shown = bytes <= MOST_TEXT_BYTES;
            if text.is_some() && !is_shown {
                self.notes.long_texts.push(input.id.clone());
            }
            let backdrop = Backdrop {
                size: input.found.size,
                text: text.filter(|_| is_shown),
                ..Backdrop::default()
            };
            self.backdrops.insert(input.id.clone(), backdrop);
        }
    }

    /// Reads the pictures in order, some at a time, until a limit is reached.
    async fn read_pictures(&mut self, inputs: &[Wanted<'_>], endpoint: &str) {
        let shown: Vec<&Wanted<'_>> = self.with_places(inputs);
        let (read, beyond) = shown.split_at(shown.len().min(self.args.max_pictures));
        self.notes.beyond_count = beyond.iter().map(|it| it.id.clone()).collect();
        let has_url = |it: &&Wanted<'_>| matches!(it.found.place, Some(Place::Url(_)));
        let client = (read.iter().any(has_url))
            .then(|| PictureClient::new(MOST_FILE_BYTES, endpoint).map_err(|it| it.to_string()));
        let mut bytes: u64 = 0;
        let mut done = 0;
        'batches: for batch in read.chunks(BATCH) {
            let fetched = fetch(batch, client.as_ref()).await;
            let scaled: Vec<Result<Scaled, String>> = batch
                .par_iter()
                .zip(fetched)
                .map(|(input, fetched)| Scaled::of(input, fetched))
                .collect();
            for (input, scaled) in batch.iter().zip(scaled) {
                let scaled = match scaled {
                    Ok(scaled) => scaled,
                    Err(why) => {
                        self.notes.unreadable.push((input.id.clone(), why));
                        done += 1;
                        continue;
                    }
                };
                bytes += scaled.bytes();
                if bytes > self.args.max_picture_bytes {
                    let rest = read[done..].iter().map(|it| it.id.clone());
                    self.notes.beyond_bytes = rest.collect();
                    break 'batches;
                }
                done += 1;
                if input.areas.len() > MOST_CROPS {
                    self.notes.many_crops.push(input.id.clone());
                }
                if input
                    .found
                    .size
                    .is_some_and(|size| !has_proportions(size, scaled.size))
                {
                    self.notes.other_proportions.push(input.id.clone());
                }
                let backdrop = self.backdrops.entry(input.id.clone()).or_default();
                scaled.show(backdrop);
            }
        }
        self.notes.limits = (self.args.max_pictures, self.args.max_picture_bytes);
        for input in &shown[done..] {
            self.add_size(input);
        }
    }

    fn add_links(&mut self, inputs: &[Wanted<'_>], page_folder: &Path) {
        for input in self.with_places(inputs) {
            let href = match &input.found.place {
                Some(Place::File(file)) => link(file, page_folder),
                Some(Place::Url(url)) => web_url(url),
                None => None,
            };
            self.backdrops.entry(input.id.clone()).or_default().href = href;
            self.add_size(input);
        }
    }

    /// The size of a picture that is not read, from its header.
    fn add_size(&mut self, input: &Wanted<'_>) {
        if let Some(Place::File(file)) = &input.found.place
            && let Some(size) = files::picture(file).displayed_size()
        {
            self.backdrops.entry(input.id.clone()).or_default().size = Some(size);
        }
    }

    /// The inputs with a file or a URL that may be used.
    fn with_places<'w>(&mut self, inputs: &'w [Wanted<'w>]) -> Vec<&'w Wanted<'w>> {
        let mut shown = Vec::new();
        for input in inputs.iter().filter(|it| it.found.may_have_picture) {
            match (&input.found.place, &input.found.problem) {
                (Some(Place::Url(_)), _)
                    if self.args.images == Images::Inline && !self.args.fetch_images =>
                {
                    self.notes.not_fetched.push(input.id.clone());
                }
                (Some(_), _) => shown.push(input),
                (None, Some(why)) => {
                    let why = why.clone();
                    self.notes.unreadable.push((input.id.clone(), why));
                }
                (None, None) => self.notes.missing.push(input.id.clone()),
            }
        }
        shown
    }
}

/// Fetches the pictures of a batch that have a URL only, all at the same time.
async fn fetch(
    batch: &[&Wanted<'_>],
    client: Option<&Result<PictureClient, String>>,
) -> Vec<Option<Result<Vec<u8>, String>>> {
    let running: Vec<_> = batch
        .iter()
        .map(|input| match (&input.found.place, client) {
            (Some(Place::Url(url)), Some(client)) => {
                let (client, url) = (client.clone(), url.clone());
                Some(tokio::spawn(async move { client?.get(&url).await }))
            }
            _ => None,
        })
        .collect();
    let mut fetched = Vec::with_capacity(running.len());
    for task in running {
        fetched.push(match task {
            Some(task) => {
                let ended = task.await;
                Some(ended.unwrap_or_else(|error| Err(error.to_string())))
            }
            None => None,
        });
    }
    fetched
}

/// A picture as it is shown.
struct Scaled {
    size: [u32; 2],
    jpeg: Vec<u8>,
    crops: Vec<(Area, Vec<u8>)>,
}

impl Scaled {
    fn of(input: &Wanted<'_>, fetched: Option<Result<Vec<u8>, String>>) -> Result<Self, String> {
        let bytes = match (fetched, &input.found.place) {
            (Some(fetched), _) => fetched?,
            (None, Some(Place::File(file))) => {
                read_bytes(file, MOST_FILE_BYTES, Pipes::Refuse).map_err(|it| it.to_string())?
            }
            (None, _) => return Err("it was not fetched".to_owned()),
        };
        if detect_pointer(&bytes) == Some(TextFault::LfsPointer) {
            return Err("it is a Git LFS pointer; run `git lfs pull`".to_owned());
        }
        let orientation = files::orientation(Cursor::new(&bytes));
        let picture = Picture::decode(&bytes, orientation).map_err(|error| error.to_string())?;
        let areas = input.areas.iter().take(MOST_CROPS);
        Ok(Self {
            size: picture.size(),
            jpeg: picture.scaled(SCALED_SIDE),
            crops: areas
                .map(|area| (*area, picture.part(*area, CROP_SIDE)))
                .collect(),
        })
    }

    fn bytes(&self) -> u64 {
        let crops = self.crops.iter().map(|(_, jpeg)| jpeg.len() as u64);
        self.jpeg.len() as u64 + crops.sum::<u64>()
    }

    fn show(self, backdrop: &mut Backdrop) {
        backdrop.size = Some(self.size);
        backdrop.href = Some(data_uri(&self.jpeg));
        let crops = self.crops.into_iter().map(|(area, jpeg)| Crop {
            area,
            href: data_uri(&jpeg),
        });
        backdrop.crops = crops.collect();
    }
}

/// Whether two sizes have the same ratio, as far as whole pixels allow.
fn has_proportions(a: [u32; 2], b: [u32; 2]) -> bool {
    let ratio = |size: [u32; 2]| f64::from(size[0]) / f64::from(size[1].max(1));
    (ratio(a) / ratio(b) - 1.0).abs() < 0.01
}

/// A link to a file, from the folder of the page.
fn link(file: &Path, page_folder: &Path) -> Option<String> {
    let folder = std::path::absolute(page_folder.join(".")).ok()?;
    let folder = folder.canonicalize().unwrap_or(folder);
    let folder = Url::from_directory_path(folder).ok()?;
    let file = Url::from_file_path(file.canonicalize().ok()?).ok()?;
    folder.make_relative(&file)
}

/// A URL that a browser fetches; `None` if it is not http or https.
fn web_url(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.into())
}
