//! [`Key`]: a procedure's name in three parts.

use std::{borrow::Cow, fmt};

/// The scope of procedures whose name has none.
pub const GLOBAL: &str = "global";
/// The version of procedures whose name has none.
pub const FIRST: &str = "1";

/// A procedure's name in three parts, as @therms calls them and as a cluster queues
/// their calls: scope, procedure, version.
///
/// | name | scope | procedure | version |
/// |---|---|---|---|
/// | `ping` | `global` | `ping` | `1` |
/// | `users.get` | `users` | `get` | `1` |
/// | `users.get@2` | `users` | `get` | `2` |
/// | `billing.users.get` | `billing.users` | `get` | `1` |
/// | `a::b.c::3` | `a` | `b.c` | `3` |
///
/// The last row is how a key is spelled whose parts have dots and such of their own:
/// each key without `::` in its parts has a [name](Self::name) that comes back as the
/// same key.
///
/// ```
/// # use trunkline_core::Key;
/// let key = Key::of("users.get@2");
/// assert_eq!((key.scope, key.procedure, key.version), ("users", "get", "2"));
/// assert_eq!(key.to_string(), "users::get::2");
/// assert_eq!(key.name().as_deref(), Some("users.get@2"));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the protocol has these three")]
pub struct Key<'a> {
    /// What it belongs to.
    pub scope: &'a str,
    /// What it is called there.
    pub procedure: &'a str,
    /// Which of those that are called so.
    pub version: &'a str,
}

impl<'a> Key<'a> {
    /// The key that a name stands for. Every text is a name.
    #[must_use]
    pub fn of(name: &'a str) -> Self {
        Self::spelled(name).unwrap_or_else(|| {
            let (path, version) = at_last(name, b'@').unwrap_or((name, FIRST));
            let (scope, procedure) = at_last(path, b'.').unwrap_or((GLOBAL, path));
            Self { scope, procedure, version }
        })
    }

    /// The key of a text that has its three parts with `::` between them.
    fn spelled(text: &'a str) -> Option<Self> {
        // most names have none, which is seen sooner than where they are
        if !text.bytes().any(|byte| byte == b':') {
            return None;
        }
        let mut parts = text.split("::");
        let key = Self { scope: parts.next()?, procedure: parts.next()?, version: parts.next()? };
        parts.next().is_none().then_some(key)
    }

    /// The shortest name that stands for this key; `None` if there is none, as a part
    /// has `::` in it.
    #[must_use]
    pub fn name(&self) -> Option<Cow<'a, str>> {
        let Self { scope, procedure, version } = *self;
        let has = |text: &str, marks: &[u8]| text.bytes().any(|byte| marks.contains(&byte));
        if version == FIRST && !has(procedure, b".@:") && !has(scope, b"@:") {
            // most keys: there is nothing in them that could be taken for something else
            return Some(if scope == GLOBAL { procedure.into() } else { dotted(scope, procedure).into() });
        }
        let is_ours = |name: &str| Key::of(name) == *self;
        if (scope, version) == (GLOBAL, FIRST) && is_ours(procedure) {
            return Some(procedure.into());
        }
        let forms: [(bool, &[&str]); 4] = [
            (version == FIRST, &[scope, ".", procedure]),
            (scope == GLOBAL, &[procedure, "@", version]),
            (true, &[scope, ".", procedure, "@", version]),
            (true, &[scope, "::", procedure, "::", version]),
        ];
        let mut names = forms.into_iter().filter(|(fits, _)| *fits).map(|(_, parts)| parts.concat());
        names.find(|name| is_ours(name)).map(Cow::Owned)
    }

    /// Whether `name` is the [shortest](Self::name) for this key, which it stands for.
    #[must_use]
    pub fn is_shortest(&self, name: &str) -> bool {
        let is_plain = !name.bytes().any(|byte| matches!(byte, b'@' | b':'));
        // most names, for which no other is made
        (is_plain && self.scope != GLOBAL) || self.name().is_some_and(|shortest| shortest == name)
    }
}

/// What stands before and behind the last of these, as `str::rsplit_once` has it: for names
/// are short, and its search is made for longer texts.
fn at_last(text: &str, sign: u8) -> Option<(&str, &str)> {
    let at = text.bytes().rposition(|byte| byte == sign)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn dotted(scope: &str, procedure: &str) -> String {
    let mut name = String::with_capacity(scope.len() + 1 + procedure.len());
    name.push_str(scope);
    name.push('.');
    name.push_str(procedure);
    name
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // several times as fast as `write!`, and the broker in memory asks for it with each call
        let parts = [self.scope, "::", self.procedure, "::", self.version];
        parts.into_iter().try_for_each(|part| f.write_str(part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn odd_names_have_keys_and_odd_keys_have_names() {
        for (name, scope, procedure, version) in [
            ("", GLOBAL, "", FIRST),
            (".", "", "", FIRST),
            ("@", GLOBAL, "", ""),
            ("a.b.c", "a.b", "c", FIRST),
            ("a@b@2", GLOBAL, "a@b", "2"),
            ("a::b", GLOBAL, "a::b", FIRST),
            ("a::b::c::d", GLOBAL, "a::b::c::d", FIRST),
            ("a.b::c.d::e@f", "a.b", "c.d", "e@f"),
        ] {
            assert_eq!(Key::of(name), Key { scope, procedure, version }, "{name}");
        }
        let key = |scope, procedure, version| Key { scope, procedure, version };
        assert_eq!(key("a", "b.c", "1").name().unwrap(), "a::b.c::1");
        assert_eq!(key("a", "b", "1.2").name().unwrap(), "a.b@1.2");
        assert_eq!(key("global", "ping", "1").name().unwrap(), "ping");
        assert_eq!(key("a::b", "c", "1").name().unwrap(), "a::b.c");
        assert_eq!(key(":", "@", "1").name().unwrap(), ":.@@1");
        assert_eq!(key("a::b", "c.d", "1").name(), None);
        assert_eq!(key("global", "@:", "1").name().unwrap(), "@:@1");
    }

    proptest! {
        #[test]
        fn one_name_of_a_key_is_the_shortest(name in "[ab.@:]{0,8}|global.[ab.]{0,3}") {
            let key = Key::of(&name);
            prop_assert_eq!(key.is_shortest(&name), key.name().as_deref() == Some(&*name));
        }

        #[test]
        fn a_name_comes_back_as_its_key(scope in "[a.@:]{0,4}", procedure in "[a.@:]{0,4}", version in "[1.@:]{0,3}") {
            let key = Key { scope: &scope, procedure: &procedure, version: &version };
            match key.name() {
                Some(name) => prop_assert_eq!(Key::of(&name), key),
                None => prop_assert!([&scope, &procedure, &version].iter().any(|part| part.contains(':'))),
            }
        }

        #[test]
        fn a_key_has_a_name(name in "[a.@:1]{0,8}") {
            let key = Key::of(&name);
            let again = key.name();
            prop_assert!(again.is_some() || name.contains("::"), "{:?}", key);
            if let Some(again) = again {
                prop_assert_eq!(Key::of(&again), key);
            }
        }
    }
}
