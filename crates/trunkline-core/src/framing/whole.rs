//! [`Whole`]: a frame that something else delimits.

use super::Marking;

/// What goes out is one frame, whose ends are told otherwise: by the body of an HTTP message,
/// or by that of a broker.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no settings")]
pub struct Whole;

impl Marking for Whole {
    fn open(&mut self, _stream: &mut Vec<u8>, _channel: u8) {}

    fn close(&mut self, _stream: &mut Vec<u8>, _start: usize, _body: usize) {}

    fn another(&self) -> Box<dyn Marking> {
        Box::new(Self)
    }
}
