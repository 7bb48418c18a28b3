//! [`captured`]: a message whose `{0}` and `{guests}` are the names that its fields are bound to.

/// The same message with `prefix` before each of `fields` that it shows, or that says
/// how wide or how precise something is shown.
pub(super) fn captured(message: &str, prefix: &str, fields: &[&str]) -> String {
    let mut text = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find('{') {
        let (before, opened) = rest.split_at(at + 1);
        text.push_str(before);
        if let Some(after) = opened.strip_prefix('{') {
            text.push('{');
            rest = after;
            continue;
        }
        let (inside, after) = opened.split_at(opened.find('}').unwrap_or(opened.len()));
        let (shown, how) = inside.split_at(inside.find(':').unwrap_or(inside.len()));
        if fields.contains(&shown.trim()) {
            text.push_str(prefix);
        }
        text.push_str(shown.trim_start());
        let mut parts = how.split('$').peekable();
        while let Some(part) = parts.next() {
            let name = part.rfind(|it: char| !it.is_alphanumeric() && it != '_').map_or(0, |it| it + 1);
            let (plain, name) = part.split_at(name);
            text.push_str(plain);
            if parts.peek().is_some() && fields.contains(&name) {
                text.push_str(prefix);
            }
            text.push_str(name);
            if parts.peek().is_some() {
                text.push('$');
            }
        }
        rest = after;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::captured;

    #[test]
    fn fields_become_names() {
        let fields = ["0", "12", "name", "wide"];
        for (message, expected) in [
            (
                "{0} of {12:?} {name} {LIMIT} {{0}} {{{0}}}",
                "{f_0} of {f_12:?} {f_name} {LIMIT} {{0}} {{{f_0}}}",
            ),
            ("{name:>wide$.0$} {3} {3:x$}", "{f_name:>f_wide$.f_0$} {3} {3:x$}"),
            ("{name:$>5} {:?} {", "{f_name:$>5} {:?} {"),
            ("schön {name}", "schön {f_name}"),
        ] {
            assert_eq!(captured(message, "f_", &fields), expected);
        }
    }
}
