//! Responses, written piece by piece. The order of their members is that of the
//! reference server.

use crate::jsonrpc::write::string;
use trunkline_core::{OpenFrame, Outbox, response::Written};

/// The names of members, and what stands around them.
const ID: &[u8] = br#","correlationId":"#;
const DATA: &[u8] = br#","data":"#;
const MESSAGE: &[u8] = br#","message":"#;

/// A response, but for what it says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Form<'a> {
    /// What stands before it.
    pub(super) before: &'a str,
    /// By what its client knows it, as that has spelled it; empty if by nothing.
    pub(super) id: &'a str,
    /// What stands behind its last member, in parts, but for the bracket that ends it all.
    pub(super) after: [&'a str; 3],
}

impl<'a> Form<'a> {
    /// That of the answer to a client, who knows it by `id`.
    pub(super) fn to(id: &'a str) -> Self {
        Self { id, ..Self::default() }
    }

    /// Opens a success, whose data is to follow in [`Outbox::body`].
    pub(super) fn open(&self, out: &mut Outbox) -> OpenFrame {
        let reply = out.open(0);
        self.success_head(out.body());
        reply
    }

    /// Closes a success, and tells its code, if it has one of its own.
    pub(super) fn close(&self, out: &mut Outbox, reply: OpenFrame) {
        let value = out.written(reply).get(self.success_head_len()..).unwrap_or_default();
        if value.first() == Some(&0) {
            let value = value.to_vec();
            out.rewind(reply);
            if let Some(said) = Written::read(&value) {
                self.success(out.body(), &said);
            }
        } else {
            self.tail(out.body(), true);
        }
        out.close(reply);
    }

    /// Appends a success with a code of its own.
    pub(super) fn success(&self, out: &mut Vec<u8>, said: &Written<'_>) {
        self.head(out, said.code);
        for (name, value) in [(DATA, said.data), (MESSAGE, said.message)] {
            if let Some(value) = value {
                out.extend_from_slice(name);
                out.extend_from_slice(value.as_bytes());
            }
        }
        self.tail(out, true);
    }

    /// Appends a failure. An empty message is left out.
    pub(super) fn failure(&self, out: &mut Vec<u8>, code: i64, data: Option<&str>, message: &str) {
        self.head(out, itoa::Buffer::new().format(code));
        if let Some(data) = data {
            out.extend_from_slice(DATA);
            out.extend_from_slice(data.as_bytes());
        }
        if !message.is_empty() {
            out.extend_from_slice(MESSAGE);
            string(out, message);
        }
        self.tail(out, false);
    }

    fn success_head(&self, out: &mut Vec<u8>) {
        self.head(out, "200");
        out.extend_from_slice(DATA);
    }

    /// How many bytes [`success_head`](Self::success_head) appends.
    fn success_head_len(&self) -> usize {
        let id = if self.id.is_empty() { 0 } else { ID.len() + self.id.len() };
        self.before.len() + r#"{"code":200"#.len() + id + DATA.len()
    }

    fn head(&self, out: &mut Vec<u8>, code: &str) {
        out.extend_from_slice(self.before.as_bytes());
        out.extend_from_slice(br#"{"code":"#);
        out.extend_from_slice(code.as_bytes());
        if !self.id.is_empty() {
            out.extend_from_slice(ID);
            out.extend_from_slice(self.id.as_bytes());
        }
    }

    fn tail(&self, out: &mut Vec<u8>, success: bool) {
        out.extend_from_slice(if success { br#","success":true"# } else { br#","success":false"# });
        self.after.iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
        out.push(b'}');
    }
}
