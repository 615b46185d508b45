use super::*;
use image::{Rgb, Rgba, RgbaImage};

fn encoded(pixels: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Red on the left, blue on the right.
fn halves(width: u32, height: u32) -> DynamicImage {
    let pixel = |x, _| {
        Rgb(if x < width / 2 {
            [255, 0, 0]
        } else {
            [0, 0, 255]
        })
    };
    RgbImage::from_fn(width, height, pixel).into()
}

fn is_near(pixel: Rgb<u8>, expected: [u8; 3]) -> bool {
    pixel
        .0
        .iter()
        .zip(expected)
        .all(|(a, b)| a.abs_diff(b) < 40)
}

#[test]
fn pictures_of_every_format_are_scaled_and_turned() {
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Bmp,
        ImageFormat::Gif,
        ImageFormat::Tiff,
    ] {
        let bytes = encoded(&halves(400, 100), format);
        let picture = Picture::decode(&bytes, 1).unwrap();
        assert_eq!(picture.size(), [400, 100], "{format:?}");
        // EXIF 6: to be turned clockwise, so that the left side is at the top.
        let turned = Picture::decode(&bytes, 6).unwrap();
        assert_eq!(turned.size(), [100, 400]);
        let small = Picture::decode(&turned.scaled(80), 1).unwrap();
        assert_eq!(small.size(), [20, 80]);
        let small = small.pixels(80);
        assert!(is_near(*small.get_pixel(10, 5), [255, 0, 0]), "{format:?}");
        assert!(is_near(*small.get_pixel(10, 75), [0, 0, 255]), "{format:?}");
    }
}

#[test]
fn parts_are_taken_from_the_full_picture() {
    let picture = Picture::decode(&encoded(&halves(400, 100), ImageFormat::Png), 1).unwrap();
    let part = Picture::decode(&picture.part([0.0, 0.75, 1.0, 1.0], 480), 1).unwrap();
    assert_eq!(part.size(), [100, 100]);
    assert!(is_near(*part.pixels(480).get_pixel(50, 50), [0, 0, 255]));
    for odd in [
        [1.0, 1.0, 1.0, 1.0],
        [0.5, 0.5, 0.5, 0.5],
        [-1.0, 0.9, 7.0, 0.1],
    ] {
        assert!(Picture::decode(&picture.part(odd, 480), 1).is_ok());
    }
}

#[test]
fn transparent_pixels_become_white() {
    let clear: DynamicImage = RgbaImage::from_pixel(8, 8, Rgba([0, 0, 0, 0])).into();
    let picture = Picture::decode(&encoded(&clear, ImageFormat::Png), 1).unwrap();
    assert!(is_near(*picture.pixels(8).get_pixel(4, 4), [255; 3]));
}

#[test]
fn data_uris_are_read_back() {
    let picture = Picture::decode(&encoded(&halves(64, 32), ImageFormat::Png), 1).unwrap();
    let uri = data_uri(&picture.scaled(64));
    assert!(uri.starts_with("data:image/jpeg;base64,/9j/"), "{uri}");
    assert_eq!(Picture::of_data_uri(&uri).unwrap().size(), [64, 32]);
    assert!(Picture::of_data_uri("images/a.jpg").is_none());
}

#[test]
fn files_that_are_not_pictures_are_refused() {
    let jpeg = encoded(&halves(64, 64), ImageFormat::Jpeg);
    let png = encoded(&halves(64, 64), ImageFormat::Png);
    let error = |bytes: &[u8]| Picture::decode(bytes, 1).unwrap_err();
    assert_eq!(error(b""), PictureError::Empty);
    assert_eq!(error(&jpeg[..jpeg.len() / 2]), PictureError::CutOff);
    assert_eq!(error(&jpeg[..3]), PictureError::CutOff);
    assert_eq!(
        error(b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        PictureError::UnknownFormat
    );
    assert_eq!(error(b"\0\0\0\x20ftypavif"), PictureError::UnknownFormat);
    assert!(matches!(
        error(&png[..png.len() / 2]),
        PictureError::Invalid(_)
    ));
    // A header that claims 100,000 x 100,000 pixels, with its checksum.
    let mut bomb = png.clone();
    bomb[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
    let checksum = crc32(&bomb[12..29]).to_be_bytes();
    bomb[29..33].copy_from_slice(&checksum);
    assert_eq!(
        error(&bomb),
        PictureError::TooLarge {
            width: 100_000,
            height: 100_000
        }
    );
    // Values of EXIF that mean nothing change nothing.
    for orientation in [0, 9, 256, u32::MAX] {
        assert_eq!(Picture::decode(&png, orientation).unwrap().size(), [64, 64]);
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

#[test]
fn small_changes_are_enlarged_with_a_margin() {
    let near = |area: Option<Area>, expected: Area| {
        let area = area.unwrap();
        let is_near = area.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(is_near, "{area:?}");
    };
    let small = [0.5, 0.5, 0.54, 0.54];
    near(crop_area(Some(small), None), [0.47, 0.47, 0.57, 0.57]);
    near(crop_area(None, Some([0.5; 4])), [0.46, 0.46, 0.54, 0.54]);
    // At the edge it stays inside.
    near(
        crop_area(None, Some([0.0, 0.97, 0.02, 1.0])),
        [0.0, 0.92, 0.08, 1.0],
    );
    assert_eq!(crop_area(Some(small), Some([0.1, 0.1, 0.14, 0.14])), None);
    assert_eq!(crop_area(None, Some([0.0, 0.0, 0.05, 0.2])), None);
    assert_eq!(crop_area(Some([f32::NAN; 4]), None), None);
    assert_eq!(crop_area(None, None), None);
}
