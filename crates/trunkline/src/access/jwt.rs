//! [`Jwt`]: callers known by JSON Web Tokens (RFC 7519).

use crate::{Fault, Identity, security::unauthenticated};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, crypto::rust_crypto, decode, errors::ErrorKind};
use serde_json::{Map, Value};
use std::{
    fmt,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// As long as the key of HMAC with SHA-256 has to be (RFC 7518, section 3.2).
const SHORTEST_KEY: usize = 32;
/// The most by which clocks are apart.
const MOST_LEEWAY: Duration = Duration::from_secs(24 * 60 * 60);
/// As far ahead as the end of a token matters.
const LONGEST: f64 = 100.0 * 366.0 * 24.0 * 60.0 * 60.0;

/// All that a bearer is told of a token that has not just expired.
const NOT_VALID: &str = "the token is not valid";

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
/// let access = Access::new().jwt(jwt);
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
    ///
    /// # Panics
    ///
    /// Panics if the secret has less than 32 bytes (RFC 7518, section 3.2): who can
    /// guess it is whoever they like. An empty one is what an environment variable has
    /// that nobody set.
    #[track_caller]
    pub fn hs256(secret: impl AsRef<[u8]>) -> Self {
        let bytes = secret.as_ref().len();
        assert!(
            bytes >= SHORTEST_KEY,
            "the secret for HS256 has {bytes} bytes, and must have {SHORTEST_KEY}, random ones (RFC 7518, section 3.2)"
        );
        Self::new(DecodingKey::from_secret(secret.as_ref()), Algorithm::HS256)
    }

    /// Tokens that are signed in any other way: no other algorithm than this one is
    /// accepted, whatever a token says. Keys are taken as they are: it is for whoever
    /// gives a secret to see that it is long enough.
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
        // other crates may have had the other one compiled in, and then none is the default;
        // if one was chosen already, that is it
        let _ = rust_crypto::DEFAULT_PROVIDER.install_default();
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

    /// How far clocks may be apart. Default 60 s, at most a day.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.validation.leeway = leeway.min(MOST_LEEWAY).as_secs();
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
                    _ => NOT_VALID,
                };
                return Err(unauthenticated(why).with_source(error));
            }
        };
        let subject = claims.get("sub").and_then(Value::as_str).filter(|subject| !subject.is_empty());
        let expires = claims.get("exp").and_then(Value::as_f64).map(|seconds| self.moment(seconds));
        let (Some(subject), Some(expires)) = (subject, expires) else {
            return Err(unauthenticated(NOT_VALID));
        };
        let identity = Identity::new(subject.to_owned()).until(expires);
        let identity = groups(claims.get(&self.groups)).into_iter().fold(identity, Identity::with_group);
        Ok(claims.into_iter().fold(identity, |identity, (name, value)| identity.with_claim(name, value)))
    }

    /// A time of the calendar by the clock that only goes forward.
    fn moment(&self, seconds: f64) -> Instant {
        let present = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let leeway = Duration::from_secs(self.validation.leeway);
        let left = (seconds - present.as_secs_f64() + leeway.as_secs_f64()).clamp(0.0, LONGEST);
        let now = trunkline_net::clock::now();
        now.checked_add(Duration::try_from_secs_f64(left).unwrap_or_default()).unwrap_or(now)
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
