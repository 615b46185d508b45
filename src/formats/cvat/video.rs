//! The videos of a CVAT file: one for each task.

use super::meta::{Meta, Task};
use crate::formats::account::{Media, Note};
use crate::formats::builder::{Builder, Picture, PictureAt};
use crate::formats::xml::{self, Element};
use std::collections::HashMap;

/// The videos of a file, by the ids of their tasks.
pub(super) struct Videos {
    all: Vec<Video>,
    by_task: HashMap<String, usize>,
}

pub(super) struct Video {
    pub(super) at: PictureAt,
    pub(super) name: String,
    pub(super) size: Option<(u32, u32)>,
    /// Frames from one of the task to the next.
    pub(super) step: u32,
    /// Whether a frame of it was imported without its time.
    pub(super) has_guessed_time: bool,
}

impl Videos {
    pub(super) fn new(path: &str, meta: &Meta, builder: &mut Builder<'_>) -> Self {
        let mut videos = Self {
            all: Vec::new(),
            by_task: HashMap::new(),
        };
        let unknown = [Task::default()];
        let tasks = if meta.tasks.is_empty() {
            &unknown[..]
        } else {
            &meta.tasks
        };
        for task in tasks {
            let own = xml::without_xml(path);
            let name = task.source.clone().unwrap_or_else(|| match &task.id {
                Some(id) if tasks.len() > 1 => format!("{own}-{id}"),
                _ => own.to_owned(),
            });
            if task.source.is_none() {
                builder.note(Note::NamedAfterFile, name.clone());
            }
            let at = builder.picture(Picture {
                file_name: Some(name.clone()),
                own_id: task.id.clone(),
                size: task.size,
                media: Media::Video,
                ..Picture::default()
            });
            if let Some(id) = &task.id {
                videos.by_task.insert(id.clone(), videos.all.len());
            }
            videos.all.push(Video {
                at,
                name,
                size: task.size,
                step: task.step.max(1),
                has_guessed_time: false,
            });
        }
        videos
    }

    /// The video of a track; of several, that of its task. The error is the id that no task has.
    pub(super) fn of(&mut self, track: Element<'_>) -> Result<&mut Video, String> {
        let index = if self.all.len() == 1 {
            0
        } else {
            let id = track.attribute("task_id").unwrap_or_default();
            *self.by_task.get(id).ok_or_else(|| id.to_owned())?
        };
        Ok(&mut self.all[index])
    }

    pub(super) fn note_times(self, builder: &mut Builder<'_>) {
        for video in self.all.into_iter().filter(|video| video.has_guessed_time) {
            builder.note(Note::GuessedTime, video.name);
        }
    }
}
