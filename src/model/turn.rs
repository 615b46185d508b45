//! The ways to turn or mirror a picture.

/// A rotation or a mirroring of a picture. In fractions of the picture, all are exact whatever its width and height.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Turn {
    /// A quarter turn clockwise.
    #[serde(rename = "turned_90")]
    By90,
    #[serde(rename = "turned_180")]
    By180,
    /// A quarter turn counterclockwise.
    #[serde(rename = "turned_270")]
    By270,
    #[serde(rename = "mirrored_left_right")]
    LeftRight,
    #[serde(rename = "mirrored_top_bottom")]
    TopBottom,
    /// At the diagonal from the top left: rows become columns.
    #[serde(rename = "mirrored_diagonal")]
    Diagonal,
    /// At the diagonal from the top right.
    #[serde(rename = "mirrored_other_diagonal")]
    OtherDiagonal,
}

impl Turn {
    pub const ALL: [Self; 7] = [
        Self::By90,
        Self::By180,
        Self::By270,
        Self::LeftRight,
        Self::TopBottom,
        Self::Diagonal,
        Self::OtherDiagonal,
    ];

    /// The new place of a point, as row and column in fractions of the picture.
    pub fn of(self, [row, col]: [f64; 2]) -> [f64; 2] {
        match self {
            Self::By90 => [col, 1.0 - row],
            Self::By180 => [1.0 - row, 1.0 - col],
            Self::By270 => [1.0 - col, row],
            Self::LeftRight => [row, 1.0 - col],
            Self::TopBottom => [1.0 - row, col],
            Self::Diagonal => [col, row],
            Self::OtherDiagonal => [1.0 - col, 1.0 - row],
        }
    }

    /// `turned by 90 degrees`; rotations are clockwise.
    pub fn words(self) -> &'static str {
        match self {
            Self::By90 => "turned by 90 degrees",
            Self::By180 => "turned by 180 degrees",
            Self::By270 => "turned by 270 degrees",
            Self::LeftRight => "mirrored left to right",
            Self::TopBottom => "mirrored top to bottom",
            Self::Diagonal => "mirrored along the diagonal",
            Self::OtherDiagonal => "mirrored along the other diagonal",
        }
    }
}
