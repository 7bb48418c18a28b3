//! [`Brackets`]: where a JSON value ends that nothing but its bracket ends.

/// Follows the brackets of a JSON text; kinds are not compared, strings are skipped.
#[derive(Clone, Debug, Default)]
pub(super) struct Brackets {
    at: usize,
    depth: usize,
    /// The value begins with something else than a bracket, so only LF can end it.
    plain: bool,
    string: bool,
    escape: bool,
}

impl Brackets {
    /// The end of the first bracketed value in `text`, which since the last time
    /// may only have grown.
    pub(super) fn close(&mut self, text: &[u8]) -> Option<usize> {
        while !self.plain && self.at < text.len() {
            if self.string && !self.escape {
                match memchr::memchr2(b'"', b'\\', &text[self.at..]) {
                    Some(run) => self.at += run,
                    None => {
                        self.at = text.len();
                        return None;
                    }
                }
            }
            let byte = text[self.at];
            self.at += 1;
            match byte {
                _ if self.escape => self.escape = false,
                b'\\' if self.string => self.escape = true,
                b'"' if self.depth > 0 => self.string = !self.string,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(self.at);
                    }
                }
                b' ' | b'\t' | b'\r' => {}
                _ => self.plain = self.depth == 0,
            }
        }
        None
    }
}
