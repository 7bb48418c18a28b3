//! Following a text along a [`Plan`](super::Plan).

use super::{Member, Part};
use crate::check::tree::Reader;

impl Part {
    /// Reads the next value; `None` if it is not allowed, or not known to be. Most are
    /// single values, for which nothing is called.
    #[inline]
    pub(super) fn walk(&self, reader: &mut Reader<'_>, deeper: u8) -> Option<()> {
        match self {
            Self::Value(single) => single.walk(reader, deeper),
            others => others.walk_into(reader, deeper),
        }
    }

    fn walk_into(&self, reader: &mut Reader<'_>, deeper: u8) -> Option<()> {
        match self {
            Self::Value(single) => single.walk(reader, deeper),
            Self::Members { known, required } => members(known, *required, reader, deeper.checked_sub(1)?),
            Self::Elements { first, rest, len } => {
                let deeper = deeper.checked_sub(1)?;
                let mut count = 0;
                reader.enter(b'[')?;
                while reader.more()? {
                    first.get(count).unwrap_or(rest).walk(reader, deeper)?;
                    count += 1;
                }
                len.contains(&count).then_some(())
            }
            Self::Nullable(inner) => match reader.peek()? {
                b'n' => reader.value_is(deeper, |_| true),
                _ => inner.walk(reader, deeper),
            },
        }
    }
}

fn members(known: &[Member], required: u64, reader: &mut Reader<'_>, deeper: u8) -> Option<()> {
    let mut seen = 0;
    reader.enter(b'{')?;
    while reader.more()? {
        let rest = reader.rest();
        let next = known.iter().enumerate().find_map(|(at, it)| Some((at, it.name.leads(rest)?)));
        let at = match next {
            Some((at, len)) => {
                reader.skip(len);
                at
            }
            None => match unusual(known, reader)? {
                Some(at) => at,
                None => {
                    reader.value_is(deeper, |_| true)?;
                    continue;
                }
            },
        };
        seen |= 1 << at;
        // of two with the same name both have to be allowed
        known[at].part.walk(reader, deeper)?;
    }
    (seen & required == required).then_some(())
}

/// The next member, however its name is spelled; `Some(None)` if it is not known.
#[cold]
fn unusual(known: &[Member], reader: &mut Reader<'_>) -> Option<Option<usize>> {
    let name = reader.name()?;
    Some(known.iter().position(|it| *it.name.plain() == *name))
}
