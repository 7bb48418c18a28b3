//! [`Jwt`]: callers known by JSON Web Tokens (RFC 7519).

use crate::{Fault, Identity, security::unauthenticated};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, errors::ErrorKind};
use serde_json::{Map, Value};
use std::{
    fmt,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Reads the JSON Web Tokens of one issuer.
///
/// A token must have been signed with the one algorithm that was named, and say
/// whose it is (`sub`) and until when (`exp`): the identity that comes of it ends
/// then. One that is not valid yet (`nbf`), or was made for somebody else (`aud`),
/// is refused. All claims become [claims](Identity::claim) of the identity.
///
/// ```
/// use trunkline::access::{Access, Jwt};
///
/// let jwt = Jwt::hs256("a secret of at least 32 random bytes")
///     .issuer("https://login.example")
///     .audience("rooms")
///     .groups_in("roles");
/// let access = Access::new().jwt(jwt).by_group();
/// ```
#[derive(Clone)]
#[must_use]
pub struct Jwt {
    key: DecodingKey,
    validation: Validation,
    groups: String,
}

impl Jwt {
    /// Tokens that are signed with a secret, by HMAC with SHA-256.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Self {
        Self::new(DecodingKey::from_secret(secret.as_ref()), Algorithm::HS256)
    }

    /// Tokens that are signed in any other way: no other algorithm than this one is
    /// accepted, whatever a token says.
    ///
    /// ```no_run
    /// use trunkline::access::{Jwt, jsonwebtoken::{Algorithm, DecodingKey}};
    ///
    /// # fn jwt() -> Result<Jwt, Box<dyn std::error::Error>> {
    /// let key = DecodingKey::from_ec_pem(&std::fs::read("issuer.pem")?)?;
    /// Ok(Jwt::new(key, Algorithm::ES256))
    /// # }
    /// ```
    pub fn new(key: DecodingKey, algorithm: Algorithm) -> Self {
        let mut validation = Validation::new(algorithm);
        validation.set_required_spec_claims(&["exp", "sub"]);
        validation.validate_nbf = true;
        Self { key, validation, groups: "groups".to_owned() }
    }

    /// Takes only tokens of this issuer (`iss`). Default: of any who has the key.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.validation.required_spec_claims.insert("iss".to_owned());
        self.validation.set_issuer(&[issuer.into()]);
        self
    }

    /// Takes only tokens that were made for this audience (`aud`). Default: only
    /// those that were made for nobody in particular.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.validation.required_spec_claims.insert("aud".to_owned());
        self.validation.set_audience(&[audience.into()]);
        self
    }

    /// Which claim has the groups, as a list, or in one string with spaces between
    /// them, as `scope` does. Default `groups`.
    pub fn groups_in(mut self, claim: impl Into<String>) -> Self {
        self.groups = claim.into();
        self
    }

    /// How far clocks may be apart. Default 60 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.validation.leeway = leeway.as_secs();
        self
    }

    /// Who shows this token.
    ///
    /// # Errors
    ///
    /// Fails with what the bearer is told: only whether the token has expired.
    pub fn verify(&self, token: &str) -> Result<Identity, Fault> {
        let claims = match decode::<Map<String, Value>>(token, &self.key, &self.validation) {
            Ok(token) => token.claims,
            Err(error) => {
                let why = match error.kind() {
                    ErrorKind::ExpiredSignature => "the token has expired",
                    _ => "the token is not valid",
                };
                return Err(unauthenticated(why).with_source(error));
            }
        };
        let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default().to_owned();
        let expires = claims.get("exp").and_then(Value::as_f64).and_then(|seconds| self.moment(seconds));
        let Some(expires) = expires else { return Err(unauthenticated("the token is not valid")) };
        let identity = Identity::new(subject).until(expires);
        let identity = groups(claims.get(&self.groups)).into_iter().fold(identity, Identity::with_group);
        Ok(claims.into_iter().fold(identity, |identity, (name, value)| identity.with_claim(name, value)))
    }

    /// A time of the calendar by the clock that only goes forward.
    fn moment(&self, seconds: f64) -> Option<Instant> {
        let since = Duration::try_from_secs_f64(seconds).ok()?;
        let end = UNIX_EPOCH.checked_add(since)?.checked_add(Duration::from_secs(self.validation.leeway))?;
        let left = end.duration_since(SystemTime::now()).unwrap_or_default();
        Instant::now().checked_add(left)
    }
}

fn groups(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(groups)) => groups.split_whitespace().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Not the key.
impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwt").field("validation", &self.validation).finish_non_exhaustive()
    }
}
