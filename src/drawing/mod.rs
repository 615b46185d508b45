//! Drawings of labels over pictures, as SVG for a page and as pixels for a contact sheet.
//!
//! A [`Figure`] says what is drawn. Pure: files and URLs are read by `cli`.

mod backdrop;
mod figure;
mod legend;
mod lettering;
mod overlay;
mod paint;
mod picture;
mod placing;
mod sheet;
mod svg;
mod times;

pub use backdrop::{Backdrop, Crop};
pub use figure::{Figure, Outline, Role, Shape};
pub use overlay::Overlay;
pub use picture::{Area, CROP_SIDE, Picture, PictureError, SCALED_SIDE, crop_area, data_uri};
pub use placing::Placing;
pub use sheet::{Passage, TILES, Tile, is_sheet, sheet};
pub use svg::{SvgCanvas, bounds as outline_bounds, number as svg_number};
pub use times::Period;
