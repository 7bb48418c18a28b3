//! [`Identity`]: who the caller is known to be.

use crate::{call::Call, extract::Extract, fault::Fault};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, LazyLock},
    time::Instant,
};

/// Who the caller is known to be; anonymous by default. Cheap to clone.
///
/// Made by whoever [authenticates](crate::Security::authenticate), and never
/// changed after that: a call keeps the identity that it started with. As an
/// extractor it tells a handler who calls.
///
/// ```
/// # use trunkline_core::{Fault, FaultKind, Identity, Router};
/// async fn greet(identity: Identity) -> String {
///     format!("hello {}", identity.subject().unwrap_or("stranger"))
/// }
/// let router = Router::new().procedure("greet", greet);
///
/// let ada = Identity::new("ada").with_group("staff").with_claim("tenant", 7);
/// assert!(ada.is_in("staff"));
/// assert_eq!(ada.claim::<u32>("tenant"), Some(7));
/// assert!(Identity::anonymous().is_anonymous());
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Identity(Option<Arc<Known>>);

#[derive(Clone, Default, PartialEq)]
struct Known {
    subject: Option<Cow<'static, str>>,
    groups: Vec<Cow<'static, str>>,
    claims: Map<String, Value>,
    expires: Option<Instant>,
}

impl Identity {
    /// Somebody of whom nothing is known.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Somebody who has shown to be `subject`.
    #[must_use]
    pub fn new(subject: impl Into<Cow<'static, str>>) -> Self {
        Self(Some(Arc::new(Known { subject: Some(subject.into()), ..Known::default() })))
    }

    /// Says that the caller belongs to a group, or has a role.
    #[must_use]
    pub fn with_group(self, group: impl Into<Cow<'static, str>>) -> Self {
        self.with(|known| known.groups.push(group.into()))
    }

    /// Attaches what else is known. A value that has no form in JSON is left out.
    #[must_use]
    pub fn with_claim(self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.with(|known| {
            if let Ok(value) = serde_json::to_value(value) {
                known.claims.insert(name.into(), value);
            }
        })
    }

    /// Says until when this is known. Calls that start later are refused until the
    /// caller authenticates again, and streams that are open then are ended; a call
    /// that runs may finish.
    #[must_use]
    pub fn until(self, moment: Instant) -> Self {
        self.with(|known| known.expires = Some(moment))
    }

    fn with(mut self, change: impl FnOnce(&mut Known)) -> Self {
        change(Arc::make_mut(self.0.get_or_insert_default()));
        self
    }

    /// Whether it is not known who this is. Of the anonymous there may be groups and
    /// claims all the same: where they come from, say.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.subject().is_none()
    }

    /// The caller's name, account or id; `None` for the anonymous.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.0.as_ref()?.subject.as_deref()
    }

    /// Whether both are known to be the same; the anonymous are nobody's like.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.subject().is_some_and(|subject| other.subject() == Some(subject))
    }

    /// Whether what this one has begun, and what lasts, is broken off now that `other` is
    /// known on the connection: the anonymous have nothing to lose.
    #[doc(hidden)]
    #[must_use]
    pub fn is_left_for(&self, other: &Self) -> bool {
        !self.is_anonymous() && !self.is_same_as(other)
    }

    /// Whether nothing at all is known.
    pub(crate) fn is_blank(&self) -> bool {
        self.0.is_none()
    }

    /// The groups the caller belongs to, and the roles it has.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|known| &known.groups).map(|group| &**group)
    }

    /// Whether the caller belongs to `group`.
    #[must_use]
    pub fn is_in(&self, group: &str) -> bool {
        self.groups().any(|one| one == group)
    }

    /// What is known under `name`, decoded; `None` if there is nothing or it is of another shape.
    #[must_use]
    pub fn claim<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        T::deserialize(self.claims().get(name)?).ok()
    }

    /// What else is known.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
        self.0.as_ref().map_or(&NONE, |known| &known.claims)
    }

    /// Until when this is known; `None`: for as long as the connection lasts.
    #[must_use]
    pub fn expires(&self) -> Option<Instant> {
        self.0.as_ref()?.expires
    }

    /// Whether this is no longer known at `now`.
    #[must_use]
    pub fn has_expired(&self, now: Instant) -> bool {
        self.expires().is_some_and(|moment| moment <= now)
    }
}

/// No claims, which may hold secrets.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("Identity(anonymous)"),
            Some(known) => f
                .debug_struct("Identity")
                .field("subject", &known.subject)
                .field("groups", &known.groups)
                .field("expires", &known.expires)
                .finish_non_exhaustive(),
        }
    }
}

impl Extract for Identity {
    fn extract(call: &Call<'_>) -> Result<Self, Fault> {
        Ok(call.context.identity().clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_said_of_one_copy_is_not_said_of_another() {
        let ada = Identity::new("ada").with_group("staff");
        let admin = ada.clone().with_group("admin");
        assert_eq!(ada.groups().collect::<Vec<_>>(), ["staff"]);
        assert_eq!(admin.groups().collect::<Vec<_>>(), ["staff", "admin"]);
        assert_eq!(size_of::<Identity>(), size_of::<usize>());
    }

    /// To be let in for a claim alone would be to be let in without a name.
    #[test]
    fn claims_do_not_make_a_name() {
        let stranger = Identity::anonymous().with_claim("country", "fr").with_group("europe");
        assert!(stranger.is_anonymous() && stranger.is_in("europe"));
        assert_eq!(stranger.subject(), None);
        assert!(!stranger.is_same_as(&stranger));
        assert!(Identity::new("ada").is_same_as(&Identity::new("ada").with_group("staff")));
        assert!(!Identity::new("ada").is_same_as(&Identity::new("bob")));
    }

    #[test]
    fn claims_of_another_shape_are_none() {
        let ada = Identity::new("ada").with_claim("tenant", "seven");
        assert_eq!(ada.claim::<u32>("tenant"), None);
        assert_eq!(Identity::anonymous().claim::<u32>("tenant"), None);
    }

    #[test]
    fn it_ends_at_its_moment() {
        let now = Instant::now();
        let ada = Identity::new("ada").until(now + Duration::from_secs(1));
        assert!(!ada.has_expired(now));
        assert!(ada.has_expired(now + Duration::from_secs(1)));
        assert!(!Identity::anonymous().has_expired(now));
    }

    #[test]
    fn debug_output_keeps_secrets() {
        let printed = format!("{:?}", Identity::new("ada").with_claim("token", "hidden"));
        assert!(printed.contains("ada") && !printed.contains("hidden"), "{printed}");
    }
}
