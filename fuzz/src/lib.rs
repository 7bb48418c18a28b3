//! What the fuzz targets share. `README.md` says what each of them asserts.

pub mod books;
pub mod choices;
pub mod cutting;
pub mod expected;
pub mod replies;
pub mod session;
