//! [`Order`]: an argument of 1 KiB whose schema says more than its type.

/// How many lines the order has.
const LINES: usize = 6;
/// How many bytes it takes.
const BYTES: usize = 1024;

/// What the procedure takes.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[expect(dead_code, reason = "all of it is read from the message, which is what takes the time")]
pub struct Order {
    #[schemars(length(min = 1, max = 100))]
    customer: String,
    #[schemars(length(max = 1000))]
    note: String,
    #[schemars(length(min = 1, max = 100))]
    lines: Vec<Line>,
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[expect(dead_code, reason = "as of `Order`")]
struct Line {
    #[schemars(length(equal = 10))]
    item: String,
    #[schemars(range(min = 1, max = 1000))]
    quantity: u32,
}

impl Order {
    /// What the procedure answers: how many lines there are.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "an order is not a collection")]
    pub const fn len(&self) -> usize {
        self.lines.len()
    }
}

/// An [`Order`] in JSON.
#[must_use]
pub fn params() -> String {
    let lines: Vec<_> =
        (0..LINES).map(|at| format!(r#"{{"item":"item-{at:05}","quantity":{}}}"#, at + 1)).collect();
    let lines = lines.join(",");
    let of_note = |note: &str| format!(r#"{{"customer":"Ada Lovelace","note":"{note}","lines":[{lines}]}}"#);
    of_note(&"x".repeat(BYTES - of_note("").len()))
}
