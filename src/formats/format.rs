//! The formats, and the kinds of annotations that each can hold.

use crate::model::Kind;
use std::fmt::Write as _;

/// A format of another tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    Coco,
    Yolo,
    Voc,
    Cvat,
    LabelStudio,
    LabelMe,
    OpenImages,
    Conll,
    /// annosync's own: one input in a line.
    Jsonl,
}

impl Format {
    pub const ALL: [Self; 9] = [
        Self::Coco,
        Self::Yolo,
        Self::Voc,
        Self::Cvat,
        Self::LabelStudio,
        Self::LabelMe,
        Self::OpenImages,
        Self::Conll,
        Self::Jsonl,
    ];

    /// Its name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Coco => "coco",
            Self::Yolo => "yolo",
            Self::Voc => "voc",
            Self::Cvat => "cvat",
            Self::LabelStudio => "label-studio",
            Self::LabelMe => "labelme",
            Self::OpenImages => "open-images",
            Self::Conll => "conll",
            Self::Jsonl => "jsonl",
        }
    }

    /// Its name in a sentence.
    pub fn title(self) -> &'static str {
        match self {
            Self::Coco => "a COCO file",
            Self::Yolo => "a YOLO data set",
            Self::Voc => "Pascal VOC",
            Self::Cvat => "CVAT XML",
            Self::LabelStudio => "a Label Studio export",
            Self::LabelMe => "LabelMe JSON",
            Self::OpenImages => "Open Images CSV",
            Self::Conll => "a CoNLL file",
            Self::Jsonl => "annosync's JSON Lines",
        }
    }

    /// The kinds of annotations that an import can give. An import leaves annotations of other kinds alone.
    pub fn reads(self) -> &'static [Kind] {
        match self {
            Self::Coco => &[Kind::Box, Kind::Polygon, Kind::Keypoints, Kind::Mask],
            Self::Yolo => &[Kind::Box, Kind::Polygon, Kind::Keypoints],
            Self::Voc => &[Kind::Box],
            Self::Cvat => &[
                Kind::Whole,
                Kind::Box,
                Kind::Polygon,
                Kind::Point,
                Kind::Keypoints,
                Kind::Mask,
            ],
            Self::LabelStudio => &[
                Kind::Whole,
                Kind::Box,
                Kind::Polygon,
                Kind::Point,
                Kind::Mask,
                Kind::Span,
            ],
            Self::LabelMe => &[
                Kind::Whole,
                Kind::Box,
                Kind::Polygon,
                Kind::Point,
                Kind::Mask,
            ],
            Self::OpenImages => &[Kind::Whole, Kind::Box],
            Self::Conll => &[Kind::Span],
            Self::Jsonl => &[
                Kind::Whole,
                Kind::Box,
                Kind::Polygon,
                Kind::Point,
                Kind::Keypoints,
                Kind::Mask,
                Kind::Span,
                Kind::Segment,
            ],
        }
    }

    /// Whether it has frames and tracks of videos.
    pub fn reads_frames(self) -> bool {
        matches!(self, Self::Cvat | Self::LabelStudio | Self::Jsonl)
    }

    /// Whether an export can write frames and tracks of videos.
    pub fn writes_frames(self) -> bool {
        matches!(self, Self::LabelStudio | Self::Jsonl)
    }

    /// The kinds of annotations that an export can write.
    pub fn writes(self) -> &'static [Kind] {
        match self {
            Self::Yolo => &[Kind::Box, Kind::Polygon],
            other => other.reads(),
        }
    }
}

/// A Markdown table of what each format holds: `in` if an import reads it, `out` if an export writes it.
pub fn matrix() -> String {
    let kinds = [
        ("whole input", Kind::Whole),
        ("box", Kind::Box),
        ("polygon", Kind::Polygon),
        ("point", Kind::Point),
        ("keypoints", Kind::Keypoints),
        ("mask", Kind::Mask),
        ("span", Kind::Span),
        ("segment", Kind::Segment),
    ];
    let cell = |reads, writes| match (reads, writes) {
        (true, true) => "in, out",
        (true, false) => "in",
        (false, true) => "out",
        (false, false) => "",
    };
    // Writing to a string cannot fail.
    let mut table = String::from("| format |");
    for (name, _) in kinds {
        let _ = write!(table, " {name} |");
    }
    table += " frames, tracks |\n|---|";
    table += &"---|".repeat(kinds.len() + 1);
    table.push('\n');
    for format in Format::ALL {
        let _ = write!(table, "| `{}` |", format.as_str());
        for (_, kind) in kinds {
            let cell = cell(
                format.reads().contains(&kind),
                format.writes().contains(&kind),
            );
            let _ = write!(table, " {cell} |");
        }
        let frames = cell(format.reads_frames(), format.writes_frames());
        let _ = writeln!(table, " {frames} |");
    }
    table
}
