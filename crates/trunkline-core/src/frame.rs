//! [`Frame`]: one whole message, as a transport delivered it.

/// One whole message, borrowed from the buffer it arrived in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Frame<'f> {
    /// The message itself.
    pub body: Body<'f>,
    /// Which of several streams on one connection it came on; 0 where there is one.
    pub channel: u8,
    /// Whether a delimiter ended it. False for a peer that sends values with
    /// nothing between them; such peers are answered at a gentler pace.
    pub delimited: bool,
    /// Whether it may hold several values with nothing between them. A dialect
    /// that cannot read it as one says [`Signal::Several`](crate::Signal), and
    /// hears them one by one.
    pub several: bool,
}

impl<'f> Frame<'f> {
    /// A frame of bytes on the only channel.
    #[must_use]
    pub fn binary(body: &'f [u8]) -> Self {
        Self { body: Body::Binary(body), channel: 0, delimited: true, several: false }
    }

    /// A frame of text on the only channel.
    #[must_use]
    pub fn text(body: &'f str) -> Self {
        Self { body: Body::Text(body), channel: 0, delimited: true, several: false }
    }
}

/// The content of a frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "text and binary are all that transports tell apart")]
pub enum Body<'f> {
    /// The transport has checked that it is UTF-8, as WebSocket text messages are.
    Text(&'f str),
    /// Bytes of any kind.
    Binary(&'f [u8]),
}

impl<'f> Body<'f> {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &'f [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The text, checked once.
    ///
    /// # Errors
    ///
    /// Fails if the bytes are not UTF-8.
    pub fn as_text(&self) -> Result<&'f str, std::str::Utf8Error> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Binary(bytes) => std::str::from_utf8(bytes),
        }
    }
}
