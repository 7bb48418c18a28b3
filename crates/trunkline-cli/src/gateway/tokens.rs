//! [`Tokens`]: how callers show who they are.

use super::{
    config::all,
    problem::Place,
    settings::{Found, Settings, Value},
    value::Read,
};
use std::time::Duration;
use trunkline::access::{
    Jwt,
    jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey},
};

/// How callers show who they are: by tokens that were signed with one of these keys.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    pub(super) jwts: Vec<Jwt>,
    pub(super) algorithm: Algorithm,
    /// Nobody may call who shows none.
    pub(super) required: bool,
}

/// What becomes of what callers say of themselves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mode {
    /// It goes to handlers, and nobody checks it here.
    Forward,
    /// Tokens are checked; who shows none is nobody.
    Verify,
    /// The same, and nobody may call who is nobody.
    Require,
}

impl Read for Mode {
    fn read(value: &Value) -> Result<Self, String> {
        match &*String::read(value)? {
            "forward" => Ok(Self::Forward),
            "verify" => Ok(Self::Verify),
            "require" => Ok(Self::Require),
            _ => Err("must be \"forward\", \"verify\" or \"require\"".to_owned()),
        }
    }
}

impl Read for Algorithm {
    fn read(value: &Value) -> Result<Self, String> {
        let other = "must be \"HS256\", \"RS256\", \"ES256\", \"EdDSA\" or another of RFC 7518";
        String::read(value)?.parse().map_err(|_| other.to_owned())
    }
}

const MODE: &str = "identity.mode";
const SECRET: &str = "jwt.secret";
const SECRET_FILES: &str = "jwt.secret_files";
const PUBLIC_KEY_FILES: &str = "jwt.public_key_files";

/// Reads how callers show who they are; `None` if nobody asks them.
pub(super) fn read(settings: &mut Settings) -> Option<Tokens> {
    let mode = settings.find(MODE);
    let algorithm = settings.get("jwt.algorithm").unwrap_or(Algorithm::HS256);
    let keys = keys(settings, algorithm);
    let (issuer, audience) = (settings.get::<String>("jwt.issuer"), settings.get::<String>("jwt.audience"));
    let (groups, leeway) = (settings.get::<String>("jwt.groups_in"), settings.get::<Duration>("jwt.leeway"));
    let mode = match (mode, &keys.given) {
        // what would follow from it is not known
        (None, _) if settings.has(MODE) => Mode::Require,
        (None | Some(Found { value: Mode::Forward, .. }), Some((key, at))) => {
            let why = format!(
                "is not looked at while `{MODE}` is \"forward\"; it may be \"verify\" or \"require\""
            );
            settings.problem(at, key, &why);
            Mode::Forward
        }
        (Some(Found { value: Mode::Verify | Mode::Require, place }), None) => {
            let why = format!(
                "needs a key that tokens are signed with: `{SECRET}`, `{SECRET_FILES}` or `{PUBLIC_KEY_FILES}`"
            );
            settings.problem(&place, MODE, &why);
            Mode::Require
        }
        (mode, _) => mode.map_or(Mode::Forward, |found| found.value),
    };
    let jwt = |key| {
        let jwt = Jwt::new(key, algorithm);
        let jwt = issuer.iter().fold(jwt, Jwt::issuer);
        let jwt = audience.iter().fold(jwt, Jwt::audience);
        let jwt = groups.iter().fold(jwt, Jwt::groups_in);
        leeway.into_iter().fold(jwt, Jwt::leeway)
    };
    let jwts = keys.keys.into_iter().map(jwt).collect();
    (mode != Mode::Forward).then_some(Tokens { jwts, algorithm, required: mode == Mode::Require })
}

struct Keys {
    keys: Vec<DecodingKey>,
    /// One of the settings that give them.
    given: Option<(&'static str, Place)>,
}

fn keys(settings: &mut Settings, algorithm: Algorithm) -> Keys {
    let mut all_keys = Keys { keys: Vec::new(), given: None };
    let mut sources = Vec::new();
    if let Some(Found { value, place }) = settings.find::<String>(SECRET) {
        all_keys.given = Some((SECRET, place.clone()));
        sources.push((SECRET, place, value));
    }
    for key in [SECRET_FILES, PUBLIC_KEY_FILES] {
        let Some(Found { value: named, place }) = settings.find::<Vec<String>>(key) else { continue };
        // what lists no file gives no key
        if !named.is_empty() {
            all_keys.given = Some((key, place.clone()));
        }
        for name in named {
            let text = settings.read_file(key, place.clone(), &name);
            sources.extend(text.map(|Found { value, place }| (key, place, value)));
        }
    }
    for (key, place, text) in sources {
        match key_of(&text, key == PUBLIC_KEY_FILES, algorithm) {
            Ok(decoding) => all_keys.keys.push(decoding),
            Err(why) => settings.problem(&place, key, &why),
        }
    }
    all_keys
}

fn key_of(text: &str, is_public: bool, algorithm: Algorithm) -> Result<DecodingKey, String> {
    let family = algorithm.family();
    let least = match algorithm {
        Algorithm::HS256 => 32,
        Algorithm::HS384 => 48,
        _ => 64,
    };
    match (family, is_public) {
        (AlgorithmFamily::Hmac, false) if text.len() < least => Err(format!(
            "must have {least} bytes at least, random ones, for {algorithm:?} (RFC 7518, section 3.2)"
        )),
        (AlgorithmFamily::Hmac, false) => Ok(DecodingKey::from_secret(text.as_bytes())),
        (AlgorithmFamily::Hmac, true) => {
            Err(format!("is not for {algorithm:?}, which has a secret: `{SECRET}` or `{SECRET_FILES}`"))
        }
        (_, false) => Err(format!("is not for {algorithm:?}, which has a public key: `{PUBLIC_KEY_FILES}`")),
        (family, true) => {
            let pem = text.as_bytes();
            let key = match family {
                AlgorithmFamily::Rsa => DecodingKey::from_rsa_pem(pem),
                AlgorithmFamily::Ec => DecodingKey::from_ec_pem(pem),
                _ => DecodingKey::from_ed_pem(pem),
            };
            key.map_err(|error| format!("has no public key for {algorithm:?} in PEM: {}", all(&error)))
        }
    }
}
