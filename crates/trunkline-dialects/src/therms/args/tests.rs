//! The recorded cases, and what they leave open.

mod bounds;
mod cases;
mod properties;
mod schemas;
