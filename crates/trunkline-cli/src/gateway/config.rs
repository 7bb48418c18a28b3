//! [`Config`]: what a gateway is to do, made of what has been set.
//!
//! Every setting is asked for here, by its name and nowhere else.

use super::{
    limits,
    settings::{Found, Settings},
    tokens::{self, Tokens},
    value::{HostName, Rate, Size},
};
use crate::bind_address::BindAddress;
use std::{fmt, net::IpAddr, path::PathBuf};
use trunkline::{Limits, access::RateLimit, broker, tls::TlsServer};

/// What a gateway is to do.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) name: String,
    pub(super) discoverable: bool,
    pub(super) listen: Listen,
    pub(super) tls: Option<TlsServer>,
    pub(super) broker: BrokerUrl,
    pub(super) network: String,
    /// None are listed: as the languages that are spoken have it.
    pub(super) origins: Option<Vec<String>>,
    pub(super) hosts: Vec<String>,
    pub(super) health: String,
    /// Whom to believe where clients are.
    pub(super) trusted_proxies: Vec<IpAddr>,
    pub(super) therms: Option<Therms>,
    /// Nobody is asked who they are if there are none.
    pub(super) tokens: Option<Tokens>,
    pub(super) rates: Rates,
    pub(super) limits: Limits,
}

/// Where to listen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Listen {
    pub(super) http: Vec<BindAddress>,
    pub(super) tcp: Vec<BindAddress>,
    pub(super) unix: Vec<PathBuf>,
}

/// Where the broker is, and the password to it.
#[derive(Clone, Eq, PartialEq)]
pub(super) struct BrokerUrl(pub(super) String);

/// How clients of @therms are served.
#[derive(Clone, Debug)]
pub(super) struct Therms {
    pub(super) max_body: Option<usize>,
    pub(super) client_messages: Option<String>,
    pub(super) identity_changes: Option<String>,
}

/// How often callers may call, and fail to show who they are.
#[derive(Clone, Debug)]
pub(super) struct Rates {
    pub(super) each_caller: Option<Allowance>,
    pub(super) all_callers: Option<Allowance>,
    pub(super) failed_logins: Option<Allowance>,
}

/// A rate, and how much of it has been used up.
#[derive(Clone, Debug)]
pub(super) struct Allowance {
    pub(super) rate: Rate,
    pub(super) limit: RateLimit,
}

/// Where a gateway listens of which nothing else is said.
const HOME: &str = "127.0.0.1:9876";

impl Config {
    /// Reads all settings. What comes of it counts only if they have no problem.
    pub(super) fn read(settings: &mut Settings) -> Self {
        let tokens = tokens::read(settings);
        Self {
            name: settings.get("name").unwrap_or_else(|| "gateway".to_owned()),
            discoverable: settings.get("discoverable").unwrap_or_default(),
            listen: listen(settings),
            tls: tls(settings),
            broker: broker_url(settings),
            network: settings.get("broker.network").unwrap_or_else(|| "trunkline".to_owned()),
            origins: origins(settings),
            hosts: hosts(settings),
            health: health(settings),
            therms: therms(settings),
            rates: rates(settings, tokens.is_some()),
            trusted_proxies: settings.get("http.trusted_proxies").unwrap_or_default(),
            tokens,
            limits: limits::read(settings),
        }
    }

    /// What is set otherwise than in `was` and cannot be changed while connections are open.
    pub(super) fn wants_restart(&self, was: &Self) -> Vec<&'static str> {
        let changed = [
            ("name", self.name != was.name),
            ("listen.http", self.listen.http != was.listen.http),
            ("listen.tcp", self.listen.tcp != was.listen.tcp),
            ("listen.unix", self.listen.unix != was.listen.unix),
            ("broker.url", self.broker != was.broker),
            ("broker.network", self.network != was.network),
        ];
        changed.into_iter().filter_map(|(key, changed)| changed.then_some(key)).collect()
    }

    /// Keeps what cannot be changed while connections are open, and what has been used up
    /// of allowances that are still the same.
    pub(super) fn keep(&mut self, was: &Self) {
        self.name.clone_from(&was.name);
        self.listen.clone_from(&was.listen);
        self.broker.clone_from(&was.broker);
        self.network.clone_from(&was.network);
        for (now, was) in [
            (&mut self.rates.each_caller, &was.rates.each_caller),
            (&mut self.rates.all_callers, &was.rates.all_callers),
            (&mut self.rates.failed_logins, &was.rates.failed_logins),
        ] {
            if let (Some(now), Some(was)) = (now, was)
                && now.rate == was.rate
            {
                now.limit = was.limit.clone();
            }
        }
    }
}

fn listen(settings: &mut Settings) -> Listen {
    const KEYS: [&str; 3] = ["listen.http", "listen.tcp", "listen.unix"];
    let [http, tcp] = [KEYS[0], KEYS[1]].map(|key| settings.find::<Vec<BindAddress>>(key));
    let unix = settings.find::<Vec<String>>(KEYS[2]);
    let places = [&http, &tcp].map(|found| found.as_ref().map(|found| found.place.clone()));
    let places = places.into_iter().chain([unix.as_ref().map(|found| found.place.clone())]);
    let set: Vec<_> = KEYS.into_iter().zip(places).filter(|(key, _)| settings.has(key)).collect();
    let unix = unix.map(|Found { value, place }| value.iter().map(|path| place.path(path)).collect());
    let [http, tcp] = [http, tcp].map(|found| found.map(|found| found.value).unwrap_or_default());
    let mut listen = Listen { http, tcp, unix: unix.unwrap_or_default() };
    let is_nowhere = listen.http.is_empty() && listen.tcp.is_empty() && listen.unix.is_empty();
    match &*set {
        [] => listen.http.extend(HOME.parse()),
        // unless something is wrong with another of them, which is told
        [(key, Some(place)), others @ ..] if is_nowhere && others.iter().all(|(_, read)| read.is_some()) => {
            let why =
                "lists nothing, and then nothing is to be listened at: leave it out, or name an address";
            settings.problem(place, key, why);
        }
        _ => {}
    }
    listen
}

fn tls(settings: &mut Settings) -> Option<TlsServer> {
    const KEYS: [&str; 2] = ["tls.certificate_file", "tls.key_file"];
    match KEYS.map(|key| settings.find::<String>(key)) {
        [Some(chain), Some(key)] => {
            let tls = TlsServer::from_files(chain.place.path(&chain.value), key.place.path(&key.value));
            tls.map_err(|error| {
                settings.problem(&chain.place, KEYS[0], &format!("cannot be used: {}", all(&error)))
            })
            .ok()
        }
        [Some(alone), None] if !settings.has(KEYS[1]) => {
            settings.problem(&alone.place, KEYS[0], &format!("needs `{}` beside it", KEYS[1]));
            None
        }
        [None, Some(alone)] if !settings.has(KEYS[0]) => {
            settings.problem(&alone.place, KEYS[1], &format!("needs `{}` beside it", KEYS[0]));
            None
        }
        _ => None,
    }
}

/// An error with what is behind it.
pub(super) fn all(error: &dyn std::error::Error) -> String {
    let behind = std::iter::successors(error.source(), |error| error.source());
    behind.fold(error.to_string(), |all, error| format!("{all}: {error}"))
}

fn broker_url(settings: &mut Settings) -> BrokerUrl {
    let Some(Found { value, place }) = settings.secret("broker.url", "broker.url_file") else {
        return BrokerUrl("memory:".to_owned());
    };
    if let Err(error) = broker::from_url(&value) {
        settings.problem(&place, "broker.url", &format!("cannot be used: {error}"));
    }
    BrokerUrl(value)
}

fn origins(settings: &mut Settings) -> Option<Vec<String>> {
    let Found { value, place } = settings.find::<Vec<String>>("http.origins")?;
    let is_origin = |origin: &str| {
        let origin = origin.trim_end_matches('/');
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        !host.is_empty() && !host.contains('/') && origin.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if value.is_empty() {
        settings.problem(
            &place,
            "http.origins",
            "lists nobody: leave it out, or name the pages that may call",
        );
    }
    if value != ["*"] && !value.iter().all(|origin| is_origin(origin)) {
        let why = "must be scheme, host and port, as in \"https://app.example\", or \"*\" alone for pages of any origin";
        settings.problem(&place, "http.origins", why);
    }
    Some(value)
}

fn hosts(settings: &mut Settings) -> Vec<String> {
    let hosts: Vec<HostName> = settings.get("http.hosts").unwrap_or_default();
    hosts.into_iter().map(|HostName(host)| host).collect()
}

fn health(settings: &mut Settings) -> String {
    let Some(Found { value, place }) = settings.find::<String>("http.health") else {
        return "/health".to_owned();
    };
    if !value.starts_with('/') {
        settings.problem(&place, "http.health", "must begin with a slash, as \"/health\" does");
    }
    value
}

fn therms(settings: &mut Settings) -> Option<Therms> {
    let spoken = settings.get("therms.enabled").unwrap_or(true);
    let therms = Therms {
        max_body: settings.get("therms.max_body").map(|Size(bytes)| bytes),
        client_messages: settings.get("therms.client_messages"),
        identity_changes: settings.get("therms.identity_changes"),
    };
    spoken.then_some(therms)
}

fn rates(settings: &mut Settings, knows_callers: bool) -> Rates {
    let allowance = |Found { value: rate, .. }: Found<Rate>| {
        let limit = RateLimit::new(rate.calls, rate.per);
        Allowance { rate, limit }
    };
    let each_caller = settings.find("rate_limits.each_caller").map(allowance);
    let all_callers = settings.find("rate_limits.all_callers").map(allowance);
    let failed_logins = settings.find("rate_limits.failed_logins");
    if let Some(Found { place, .. }) = &failed_logins
        && !knows_callers
    {
        let why = "has nothing to count while `identity.mode` is \"forward\"";
        settings.problem(&place.clone(), "rate_limits.failed_logins", why);
    }
    Rates {
        each_caller: each_caller
            .map(|Allowance { rate, limit }| Allowance { rate, limit: limit.each_caller() }),
        all_callers,
        failed_logins: failed_logins.map(allowance),
    }
}

/// Without the password.
impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&broker::url_to_show(&self.0))
    }
}

impl fmt::Debug for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
