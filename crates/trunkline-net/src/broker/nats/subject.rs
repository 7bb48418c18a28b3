//! [`Subjects`]: how what a network speaks of is spelled on NATS.
//!
//! | subject | is |
//! |---|---|
//! | `trunkline.NETWORK.call.SCOPE.PROCEDURE.VERSION` | where calls of a procedure go |
//! | `trunkline.NETWORK.topic.TOPIC` | where is told what is published |
//! | `trunkline.NETWORK.answer.SECRET.ID.UNTIL` | where the answer to one request goes |
//! | `trunkline.NETWORK.answer.SECRET.together` | where [several](super::gathered) go to one node |
//!
//! Requests that are sent together have one address, where behind the first ID and UNTIL those
//! of the others stand.
//!
//! Each word in capitals is one token: letters, digits, `-` and `_` stand for themselves,
//! all else as `%` and two digits, and nothing at all as a lone `%`. So two names are never
//! one subject, and no name can hold what means something to NATS.

use async_nats::Subject;
use std::{
    iter,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use trunkline_core::Key;

/// By how much clocks of two nodes may differ.
const SKEW: Duration = Duration::from_secs(1);

/// What is older was not kept for so long by a server: the clocks are at odds.
const OLDEST: Duration = Duration::from_secs(600);

/// How one line spells what it speaks of.
pub(super) struct Subjects {
    /// `trunkline.NETWORK.`
    network: Box<str>,
    /// `trunkline.NETWORK.answer.`
    answers: Box<str>,
}

impl Subjects {
    pub(super) fn of(network: &str) -> Self {
        let mut spelled = "trunkline.".to_owned();
        push(&mut spelled, network);
        Self { network: format!("{spelled}.").into(), answers: format!("{spelled}.answer.").into() }
    }

    /// Where calls of a procedure go.
    pub(super) fn call(&self, key: &Key<'_>) -> Subject {
        let Key { scope, procedure, version } = *key;
        let length = self.network.len() + scope.len() + procedure.len() + version.len() + 7;
        let mut subject = String::with_capacity(length);
        subject.push_str(&self.network);
        subject.push_str("call");
        for part in [scope, procedure, version] {
            subject.push('.');
            push(&mut subject, part);
        }
        subject.into()
    }

    /// Where is told what is published.
    pub(super) fn topic(&self, topic: &str) -> Subject {
        let mut subject = format!("{}topic.", self.network);
        push(&mut subject, topic);
        subject.into()
    }

    /// Where answers go that one connection awaits, whose secret nobody else can guess.
    pub(super) fn inbox(&self, secret: u128) -> Address {
        Address(format!("{}{secret:032x}.", self.answers).into())
    }

    /// The address of the node that awaits an answer at `reply_to`; `None` if that is not
    /// for answers: whoever asks must not have us publish elsewhere what it may not publish
    /// itself.
    pub(super) fn node<'a>(&self, reply_to: &'a str) -> Option<&'a str> {
        let (secret, _) = reply_to.strip_prefix(&*self.answers)?.split_once('.')?;
        Some(&reply_to[..=self.answers.len() + secret.len()])
    }
}

/// Where answers go that one connection awaits.
pub(super) struct Address(Box<str>);

/// What follows the address of a node in the subject of several answers.
const TOGETHER: &str = "together";

/// Where several answers to one node go.
pub(super) fn together(node: &str) -> Subject {
    [node, TOGETHER].concat().into()
}

/// The address of several requests of one node, of those of each; empty for none.
pub(super) fn several<'a>(mut addresses: impl Iterator<Item = &'a Subject>) -> Subject {
    let mut several = addresses.next().map(ToString::to_string).unwrap_or_default();
    for address in addresses {
        let mut tokens = address.rsplitn(3, '.');
        if let (Some(until), Some(id)) = (tokens.next(), tokens.next()) {
            several.extend([".", id, ".", until]);
        }
    }
    several.into()
}

/// What stands behind the address of the node in each of those that the one of several requests
/// is made up of; nothing if it is that of one.
pub(super) fn each_own<'a>(node: &str, several: &'a str) -> impl Iterator<Item = &'a str> {
    let second = |text: &str| text.bytes().enumerate().filter(|(_, byte)| *byte == b'.').nth(1);
    let rest = several.get(node.len()..).filter(|rest| second(rest).is_some());
    let mut rest = rest.unwrap_or_default();
    iter::from_fn(move || {
        let end = second(rest).map_or(rest.len(), |(dot, _)| dot);
        let (own, others) = rest.split_at_checked(end).filter(|(own, _)| !own.is_empty())?;
        rest = others.get(1..).unwrap_or_default();
        Some(own)
    })
}

/// What has come to an [`Address`].
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Addressed<'a> {
    /// What became of this request, or of several that were sent together: the tokens of their
    /// [ids](text), each with when it is awaited behind it.
    Requests(&'a str),
    /// Several answers.
    Together,
    /// Our own [mark](Address::mark).
    Mark(u64),
}

impl Address {
    /// What to subscribe to.
    pub(super) fn all(&self) -> Subject {
        format!("{}>", self.0).into()
    }

    /// Where the answer to one request goes. It says as well until when it is awaited: a
    /// subject costs less than a header.
    pub(super) fn answer(&self, id: &str, expires: Duration) -> Subject {
        // room for 20 digits, and a dot
        let mut subject = String::with_capacity(self.0.len() + id.len() + 21);
        subject.push_str(&self.0);
        push(&mut subject, id);
        subject.push('.');
        match since_epoch().checked_add(expires).and_then(|until| u64::try_from(until.as_millis()).ok()) {
            Some(until) => subject.push_str(itoa::Buffer::new().format(until)),
            None => subject.push_str("never"),
        }
        subject.into()
    }

    /// A place that nothing else comes to.
    pub(super) fn mark(&self, number: u64) -> Subject {
        format!("{}{number}", self.0).into()
    }

    /// What a subject was made for; `None` if not by this one.
    pub(super) fn read<'a>(&self, subject: &'a str) -> Option<Addressed<'a>> {
        let rest = subject.strip_prefix(&*self.0)?;
        match rest {
            TOGETHER => Some(Addressed::Together),
            _ if rest.contains('.') => Some(Addressed::Requests(rest)),
            _ => rest.parse().ok().map(Addressed::Mark),
        }
    }
}

/// Whether nobody waits any more for an answer at this address.
pub(super) fn is_late(reply_to: &str) -> bool {
    let until = reply_to.rsplit_once('.').and_then(|(_, until)| until.parse().ok());
    let late = until.and_then(|until| since_epoch().checked_sub(Duration::from_millis(until)));
    late.is_some_and(|late| SKEW < late && late < OLDEST)
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Which bytes stand for themselves.
const PLAIN: [bool; 256] = {
    let (mut plain, mut byte) = ([false; 256], 0_u8);
    while byte < 128 {
        plain[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        byte += 1;
    }
    plain
};

/// Appends `text` as one token.
fn push(subject: &mut String, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let is_plain = |byte: u8| PLAIN[usize::from(byte)];
    if text.is_empty() {
        subject.push('%');
    }
    // nearly all are
    if text.bytes().all(is_plain) {
        return subject.push_str(text);
    }
    for byte in text.bytes() {
        if is_plain(byte) {
            subject.push(byte.into());
        } else {
            let digits = [byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)]));
            subject.push('%');
            subject.extend(digits);
        }
    }
}

/// The ids of [`Addressed::Requests`].
pub(super) fn ids(tokens: &str) -> impl Iterator<Item = String> {
    tokens.split('.').step_by(2).filter_map(text)
}

/// What a token stands for; a part of a URL, too.
pub(super) fn text(token: &str) -> Option<String> {
    if token == "%" {
        return Some(String::new());
    }
    let mut parts = token.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        if digits.starts_with('+') {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_names_are_readable() {
        let subjects = Subjects::of("main");
        let spelled = |name| subjects.call(&Key::of(name)).to_string();
        assert_eq!(spelled("ping"), "trunkline.main.call.global.ping.1");
        assert_eq!(spelled("users.get-all@2"), "trunkline.main.call.users.get-all.2");
        assert_eq!(spelled("billing.users.get"), "trunkline.main.call.billing%2Eusers.get.1");
        assert_eq!(spelled("a * > b\r\n"), "trunkline.main.call.global.a%20%2A%20%3E%20b%0D%0A.1");
        assert_eq!(spelled("::ü::"), "trunkline.main.call.%.%C3%BC.%");
        assert_eq!(subjects.topic("t.*").to_string(), "trunkline.main.topic.t%2E%2A");
    }

    #[test]
    fn an_address_knows_what_it_made_and_nothing_else() {
        let subjects = Subjects::of("a.b");
        let inbox = subjects.inbox(7);
        let answer = inbox.answer("an id.*", Duration::from_secs(1));
        let node = subjects.node(&answer).unwrap();
        assert_eq!((node, Subjects::of("a").node(&answer)), (&*inbox.0, None));
        assert_eq!(inbox.read(&together(node)), Some(Addressed::Together));
        for strange in ["", "x", "trunkline.a%2Eb.answer.7", "trunkline.a%2Eb.call.a.b.1"] {
            assert_eq!(subjects.node(strange), None, "{strange}");
        }
        let Some(Addressed::Requests(tokens)) = inbox.read(&answer) else { panic!("it is none") };
        assert_eq!(ids(tokens).collect::<Vec<_>>(), ["an id.*"]);
        assert_eq!(text("an%20id%2E%2A").as_deref(), Some("an id.*"));
        assert_eq!(inbox.read(&inbox.mark(3)), Some(Addressed::Mark(3)));
        assert_eq!(subjects.inbox(8).read(&answer), None);
        for strange in ["", "x", "-1"] {
            assert_eq!(inbox.read(&format!("{}{strange}", inbox.0)), None, "{strange}");
        }
        for strange in ["a%", "%f", "%ff", "%é", "%%", "%+1"] {
            assert_eq!(text(strange), None, "{strange}");
        }
    }

    #[test]
    fn the_address_of_several_is_made_of_theirs() {
        let subjects = Subjects::of("n");
        let inbox = subjects.inbox(7);
        let theirs = ["a", "b.c", "d"].map(|id| inbox.answer(id, Duration::MAX));
        let of_all = several(theirs.iter());
        let node = subjects.node(&of_all).unwrap();
        assert!(each_own(node, &of_all).eq(theirs.iter().map(|its| &its[node.len()..])));
        let Some(Addressed::Requests(tokens)) = inbox.read(&of_all) else { panic!("{of_all}") };
        assert_eq!(ids(tokens).collect::<Vec<_>>(), ["a", "b.c", "d"]);
        assert_eq!(several(theirs[..1].iter()), theirs[0]);
        assert_eq!(each_own(node, &theirs[0]).count(), 0);
        for alone in ["n.7.a.1", "n.7.", "n.7.a", "n.7.a.", ""] {
            assert_eq!(each_own("n.7.", alone).count(), 0, "{alone}");
        }
        let odd: Vec<_> = each_own("n.7.", "n.7.a.1.b..c").collect();
        assert_eq!(odd, ["a.1", "b.", "c"]);
    }

    #[test]
    fn what_is_past_is_late_unless_clocks_are_at_odds() {
        let ago = |seconds: u64| format!("x.{}", since_epoch().as_millis() - u128::from(seconds) * 1000);
        assert!(is_late(&ago(2)) && is_late(&ago(500)));
        assert!(!is_late(&ago(0)) && !is_late(&ago(3600)));
        let inbox = Subjects::of("n").inbox(7);
        assert!(!is_late(&inbox.answer("1", Duration::from_secs(9))));
        assert!(!is_late(&inbox.answer("1", Duration::MAX)));
        assert!(!is_late("x.18446744073709551615") && !is_late("x.") && !is_late(""));
    }

    proptest! {
        #[test]
        fn every_text_is_one_token_that_comes_back(name in any::<String>()) {
            let mut token = String::new();
            push(&mut token, &name);
            prop_assert!(!token.is_empty());
            prop_assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"%-_".contains(&byte)));
            prop_assert_eq!(text(&token), Some(name));
        }
    }
}
