//! The rules of the linter: their names, default levels and meanings.
//!
//! Rules are checked by `lint`, except those that a manifest cannot break without being invalid; `manifest` reports these.

use super::nearest::nearest_word;

/// How a broken rule is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Not at all.
    Off,
    Warn,
    Error,
}

impl Level {
    /// All levels and their names in a manifest.
    pub const ALL: [(&'static str, Self); 3] = [
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("off", Self::Off),
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Off => "off",
        }
    }
}

macro_rules! rules {
    ($($rule:ident, $name:literal, $default:ident, $fixed:literal, $meaning:literal;)*) => {
        /// A rule of the linter. The names are part of the interface.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = $meaning] $rule,)*
        }

        impl Rule {
            /// In the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$rule),*];

            pub fn name(self) -> &'static str {
                match self { $(Self::$rule => $name),* }
            }

            /// One sentence without a full stop.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$rule => $meaning),* }
            }

            /// The level unless the header sets one.
            pub fn default_level(self) -> Level {
                match self { $(Self::$rule => Level::$default),* }
            }

            /// What `--fix` does about it; `None` if it does nothing.
            pub fn fixed_by(self) -> Option<&'static str> {
                let fixed: &str = match self { $(Self::$rule => $fixed),* };
                (!fixed.is_empty()).then_some(fixed)
            }
        }
    };
}

rules! {
    NoArea, "no-area", Error, "",
        "a box, polygon, span or segment without area, characters or duration";
    OutsideImage, "outside-image", Error, "", "a coordinate outside the image";
    TooFewPoints, "too-few-points", Error, "", "a polygon with fewer than three points";
    SpanText, "span-text", Error, "", "a span that the input's text does not have";
    Duplicate, "duplicate", Warn, "drops the copy without a key or id",
        "two annotations of an input with the same content";
    NearDuplicate, "near-duplicate", Warn, "",
        "two annotations of a user with a common concept and an IoU of 0.95 or more";
    SamePlace, "same-place", Warn, "", "two annotations of a user with the same box or polygon, and no common concept";
    ContradictingValues, "contradicting-values", Warn, "",
        "a concept that is absent in one annotation of a user and present in another at the same place";
    SelfIntersecting, "self-intersecting", Warn, "", "a polygon whose edges cross";
    RepeatedVertex, "repeated-vertex", Warn, "drops the last point", "a polygon whose last point repeats the first";
    Tiny, "tiny", Warn, "",
        "a box or polygon with a side below 3 pixels, or below 0.2% of an image of unknown size";
    Huge, "huge", Warn, "", "a box or polygon whose bounds cover 99% of the image or more";
    ExtremeAspect, "extreme-aspect", Warn, "",
        "a box or polygon more than 25 times as long as wide; in fractions if the image's size is unknown";
    SizeOutlier, "size-outlier", Warn, "",
        "a box or polygon far larger or smaller than the others of its concept (30 or more are needed)";
    FrameOrder, "frame-order", Warn, "puts them in order", "frames of a track that are not in the order of time";
    FrameTime, "frame-time", Warn, "", "a frame with a higher number and an earlier time than another of its input";
    TrackOverlap, "track-overlap", Warn, "", "two annotations of one track in one frame";
    TrackConcept, "track-concept", Warn, "", "a track whose concepts change";
    NoLabels, "no-labels", Off, "", "an input without annotations";
    UnusedConcept, "unused-concept", Warn, "", "a concept of the vocabulary that no annotation names, in a manifest of 10 or more annotations";
    SimilarConcepts, "similar-concepts", Warn, "",
        "concepts that differ only by case, spaces, hyphens or underscores";
    FewSamples, "few-samples", Warn, "",
        "a concept present in fewer than 10 annotations, in a manifest of 500 or more annotations";
    PictureMissing, "picture-missing", Warn, "",
        "an `image.path` that cannot be read, while other pictures of the manifest can";
    PictureSize, "picture-size", Warn, "", "a picture of a different size than its `image` says";
    PictureTurned, "picture-turned", Warn, "",
        "a picture that is displayed turned or mirrored because of its EXIF orientation";
    UnusedIgnore, "unused-ignore", Warn, "", "an `ignore` that matches no finding";
}

impl Rule {
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }

    pub fn nearest(name: &str) -> Option<Self> {
        nearest_word(name, Self::ALL.iter().map(|rule| rule.name())).and_then(Self::of)
    }

    /// Whether a manifest that breaks it is invalid.
    pub fn is_of_manifest(self) -> bool {
        self.default_level() == Level::Error
    }

    /// Whether it needs the files of pictures.
    pub fn is_of_pictures(self) -> bool {
        matches!(
            self,
            Self::PictureMissing | Self::PictureSize | Self::PictureTurned
        )
    }
}

/// A declared exception from a rule, for an input or one of its annotations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    pub rule: Rule,
    /// Not empty.
    pub reason: Box<str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_in_kebab_case() {
        let mut names: Vec<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        let is_kebab = |name: &&str| name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        assert!(names.iter().all(is_kebab), "{names:?}");
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Rule::ALL.len());
        for rule in Rule::ALL {
            assert_eq!(Rule::of(rule.name()), Some(*rule));
        }
        assert_eq!(Rule::nearest("near-duplicates"), Some(Rule::NearDuplicate));
        assert_eq!(Rule::nearest("zzz"), None);
    }
}
