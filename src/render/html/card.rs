//! A card of the gallery: one input, or a part of its changes if there are very many.

use crate::render::change::ShownChange;
use crate::render::review::ReviewedInput;

/// An input with its changes, or a part of them if there are very many.
pub(super) struct Card<'a> {
    pub(super) input: &'a ReviewedInput<'a>,
    pub(super) changes: &'a [ShownChange<'a>],
    /// How many changes of the input are in earlier cards.
    pub(super) offset: usize,
    /// The position among all cards.
    pub(super) number: usize,
    /// The number of the input's first card, which holds the picture.
    pub(super) first: usize,
    /// The address of the input in the app.
    pub(super) page: Option<String>,
    /// The id of the card.
    pub(super) anchor: String,
    /// The id of each change.
    pub(super) anchors: Vec<String>,
    /// The second id of each change that has an id and a key: that of the key.
    pub(super) aliases: Vec<Option<String>>,
}

impl Card<'_> {
    pub(super) fn picture_id(&self) -> String {
        format!("p{}", self.first)
    }

    /// Whether the picture is in this card.
    pub(super) fn has_picture(&self) -> bool {
        self.first == self.number
    }

    /// The id of what is drawn for a change; of a frame, with the position of the frame.
    pub(super) fn shape_id(&self, at: usize, frame: Option<usize>) -> String {
        match frame {
            None => format!("s{}-{at}", self.number),
            Some(frame) => format!("s{}-{at}-{frame}", self.number),
        }
    }
}
