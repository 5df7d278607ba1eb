//! Pure: what a config.json is made of, for the verbs that write one.
//!
//! A [`Document`] holds decisions: `example` or `for_images` has the usual ones, an [`Image`] or the
//! command line changes them, in any order, and [`Document::to_json`] makes the text of them. What it
//! writes is for any runtime; only layers are rrun's own (docs/union.md).

mod capabilities;
mod config;
mod document;
mod image;
mod mount;
mod seccomp;
mod user;

pub use document::{Document, Network, Upper};
pub use image::Image;
pub use mount::Mount;
pub use user::{User, Users};
