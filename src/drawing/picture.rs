//! Bytes of picture files -> upright pictures -> scaled JPEG.
//!
//! Picture files are not trusted: their sizes are checked before their pixels are decoded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits, RgbImage};
use std::io::Cursor;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Top, left, bottom, right, as fractions of a picture.
pub type Area = [f32; 4];

/// The maximum number of pixels of a picture.
const MOST_PIXELS: u64 = 120_000_000;
/// The maximum number of bytes of the decoded pixels.
const MOST_DECODED: u64 = 512 << 20;
/// Above this number of decoded bytes, one picture is held in memory at a time.
const LARGE: u64 = 96 << 20;

/// The largest side of a scaled picture in pixels.
pub const SCALED_SIDE: u32 = 800;
/// The largest side of a scaled part in pixels.
pub const CROP_SIDE: u32 = 480;

const QUALITY: u8 = 80;

/// An upright picture in its full size.
#[derive(Debug)]
pub struct Picture {
    pixels: DynamicImage,
    /// Held by a large picture.
    _turn: Option<MutexGuard<'static, ()>>,
}

/// Why bytes are not a picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    #[error("the file is empty")]
    Empty,
    #[error("it is not a JPEG, PNG, WebP, BMP, GIF or TIFF file")]
    UnknownFormat,
    #[error(
        "it has {width} x {height} pixels, and at most {MOST_PIXELS} pixels in {} MB are decoded",
        MOST_DECODED >> 20
    )]
    TooLarge { width: u32, height: u32 },
    #[error("its end is missing")]
    CutOff,
    /// The decoder's message.
    #[error("it cannot be decoded: {0}")]
    Invalid(String),
}

impl Picture {
    /// Decodes a picture file, of an animation the first frame. `orientation` is the one of EXIF: 1 is upright, 2 to 8 are
    /// turned or mirrored.
    pub fn decode(bytes: &[u8], orientation: u32) -> Result<Self, PictureError> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let invalid = |error: image::ImageError| PictureError::Invalid(error.to_string());
        if bytes.is_empty() {
            return Err(PictureError::Empty);
        }
        let format = image::guess_format(bytes).map_err(|_| PictureError::UnknownFormat)?;
        if format == ImageFormat::Jpeg && is_cut_off(bytes) {
            return Err(PictureError::CutOff);
        }
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(MOST_DECODED);
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        reader.limits(limits);
        let decoder = reader.into_decoder().map_err(|error| match error {
            image::ImageError::Unsupported(_) => PictureError::UnknownFormat,
            error => invalid(error),
        })?;
        let (width, height) = decoder.dimensions();
        let size = decoder.total_bytes();
        if u64::from(width) * u64::from(height) > MOST_PIXELS || size > MOST_DECODED {
            return Err(PictureError::TooLarge { width, height });
        }
        let lock = || ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = (size > LARGE).then(lock);
        let mut pixels = DynamicImage::from_decoder(decoder).map_err(invalid)?;
        if width == 0 || height == 0 {
            return Err(PictureError::Invalid("it has no pixels".to_owned()));
        }
        if let Some(orientation) = u8::try_from(orientation)
            .ok()
            .and_then(Orientation::from_exif)
        {
            pixels.apply_orientation(orientation);
        }
        Ok(Self {
            pixels,
            _turn: turn,
        })
    }

    /// The picture of a `data:` URI that [`data_uri`] made.
    pub fn of_data_uri(uri: &str) -> Option<Self> {
        let bytes = STANDARD.decode(uri.strip_prefix(PREFIX)?).ok()?;
        Self::decode(&bytes, 1).ok()
    }

    /// Width and height in pixels.
    pub fn size(&self) -> [u32; 2] {
        [self.pixels.width(), self.pixels.height()]
    }

    /// The whole picture with sides of at most `most` pixels, as JPEG.
    pub fn scaled(&self, most: u32) -> Vec<u8> {
        jpeg(&scaled(&self.pixels, most))
    }

    /// A part of the picture with sides of at most `most` pixels, as JPEG.
    pub fn part(&self, [top, left, bottom, right]: Area, most: u32) -> Vec<u8> {
        let [width, height] = self.size();
        let pixels = |from: f32, to: f32, length: u32| {
            let length_ = f64::from(length);
            let from = (f64::from(from.clamp(0.0, 1.0)) * length_).floor() as u32;
            let to = (f64::from(to.clamp(0.0, 1.0)) * length_).ceil() as u32;
            let from = from.min(length - 1);
            (from, to.clamp(from + 1, length) - from)
        };
        let (x, columns) = pixels(left, right, width);
        let (y, rows) = pixels(top, bottom, height);
        jpeg(&scaled(&self.pixels.crop_imm(x, y, columns, rows), most))
    }

    /// The pixels with sides of at most `most`.
    pub(super) fn pixels(&self, most: u32) -> RgbImage {
        on_white(&scaled(&self.pixels, most))
    }
}

/// The part of a picture that shows a small change enlarged: the change between these bounds (top, left, bottom, right, as
/// fractions) in the middle, with a margin. `None` for a change that is large enough to be seen in the whole picture.
pub fn crop_area(before: Option<Area>, after: Option<Area>) -> Option<Area> {
    /// Changes of at least this part of a side are large enough.
    const LARGE_ENOUGH: f32 = 0.1;
    /// The sides of the crop: this many times the change, and at least this part of the picture.
    const MARGIN: f32 = 2.5;
    const LEAST: f32 = 0.08;
    let [top, left, bottom, right] = match (before, after) {
        (Some(a), Some(b)) => [
            a[0].min(b[0]),
            a[1].min(b[1]),
            a[2].max(b[2]),
            a[3].max(b[3]),
        ],
        (one, other) => one.or(other)?,
    }
    .map(|edge| edge.clamp(0.0, 1.0));
    let extent = (bottom - top).max(right - left);
    if !(0.0..LARGE_ENOUGH).contains(&extent) {
        return None;
    }
    let side = (extent * MARGIN).max(LEAST);
    let from = |from: f32, to: f32| (from.midpoint(to) - side / 2.0).clamp(0.0, 1.0 - side);
    let (top, left) = (from(top, bottom), from(left, right));
    Some([top, left, top + side, left + side])
}

const PREFIX: &str = "data:image/jpeg;base64,";

/// A JPEG file as a `data:` URI.
pub fn data_uri(jpeg: &[u8]) -> String {
    let mut uri = PREFIX.to_owned();
    STANDARD.encode_string(jpeg, &mut uri);
    uri
}

/// Whether a JPEG file has no end after its last scan. Decoders fill up the missing pixels without a word.
fn is_cut_off(jpeg: &[u8]) -> bool {
    let last = |marker: u8| {
        let mut pairs = jpeg.windows(2);
        pairs.rposition(|pair| pair == [0xff, marker])
    };
    last(0xd9).is_none_or(|end| last(0xda).is_some_and(|scan| scan > end))
}

fn scaled(pixels: &DynamicImage, most: u32) -> DynamicImage {
    if pixels.width().max(pixels.height()) > most {
        pixels.thumbnail(most, most)
    } else {
        pixels.clone()
    }
}

fn jpeg(pixels: &DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode_image(&on_white(pixels))
        .expect("a picture of at most 65,535 pixels a side is encoded into memory");
    bytes
}

/// Without transparency: JPEG has none.
fn on_white(pixels: &DynamicImage) -> RgbImage {
    if !pixels.color().has_alpha() {
        return pixels.to_rgb8();
    }
    let rgba = pixels.to_rgba8();
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (to, from) in rgb.pixels_mut().zip(rgba.pixels()) {
        let [red, green, blue, alpha] = from.0.map(u32::from);
        to.0 = [red, green, blue].map(|it| ((it * alpha + 255 * (255 - alpha)) / 255) as u8);
    }
    rgb
}

#[cfg(test)]
mod tests;
