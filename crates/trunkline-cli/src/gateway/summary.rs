//! [`Summary`]: what a gateway serves, for people and for programs.

use super::{config::Config, limits};
use serde_json::json;
use std::{fmt, net::SocketAddr};

/// What a gateway serves. There are no secrets in it.
pub(super) struct Summary<'a> {
    config: &'a Config,
    http: Vec<String>,
    tcp: Vec<String>,
}

impl<'a> Summary<'a> {
    /// What a gateway would serve.
    pub(super) fn of(config: &'a Config) -> Self {
        let texts = |addresses: &[crate::bind_address::BindAddress]| {
            addresses.iter().map(ToString::to_string).collect()
        };
        Self { config, http: texts(&config.listen.http), tcp: texts(&config.listen.tcp) }
    }

    /// What a gateway serves that has been bound to these addresses, those of HTTP first.
    pub(super) fn bound(config: &'a Config, addresses: &[SocketAddr]) -> Self {
        let mut http: Vec<_> = addresses.iter().map(SocketAddr::to_string).collect();
        let tcp = http.split_off(config.listen.http.len().min(http.len()));
        Self { config, http, tcp }
    }

    fn urls(&self, scheme: &str, addresses: &[String], end: &str) -> Vec<String> {
        addresses.iter().map(|address| format!("{scheme}://{address}{end}")).collect()
    }

    fn listeners(&self) -> [(&'static str, Vec<String>); 4] {
        let [http, ws, tcp] = match self.config.tls {
            Some(_) => ["https", "wss", "tls+tcp"],
            None => ["http", "ws", "tcp"],
        };
        let unix = self.config.listen.unix.iter().map(|path| format!("unix:{}", path.display())).collect();
        [
            ("http", self.urls(http, &self.http, "/")),
            ("ws", self.urls(ws, &self.http, "/")),
            ("tcp", self.urls(tcp, &self.tcp, "")),
            ("unix", unix),
        ]
    }

    /// For programs: where it listens.
    pub(super) fn json(&self) -> String {
        let [http, ws, tcp, unix] = self.listeners().map(|(_, urls)| urls);
        json!({"http": http, "ws": ws, "tcp": tcp, "unix": unix}).to_string()
    }

    fn origins(&self) -> String {
        match (&self.config.origins, &self.config.therms) {
            (Some(origins), _) if origins == &["*"] => "any".to_owned(),
            (Some(origins), _) => origins.join(", "),
            (None, Some(_)) => "any, since none are listed (http.origins)".to_owned(),
            (None, None) => "its own".to_owned(),
        }
    }

    fn identity(&self) -> String {
        match &self.config.tokens {
            None => "forwarded to handlers as callers say it, unchecked".to_owned(),
            Some(tokens) => {
                let must = if tokens.required { "required" } else { "checked where there are any" };
                format!("tokens of {:?}, {must}; keys: {}", tokens.algorithm, tokens.jwts.len())
            }
        }
    }

    fn rates(&self) -> String {
        let rates = &self.config.rates;
        let named = [
            (&rates.each_caller, "by each caller"),
            (&rates.all_callers, "by all callers"),
            (&rates.failed_logins, "failed logins"),
        ];
        let set =
            named.into_iter().filter_map(|(rate, what)| Some(format!("{} {what}", rate.as_ref()?.rate)));
        set.reduce(|all, rate| format!("{all}; {rate}")).unwrap_or_else(|| "none".to_owned())
    }
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spoken = match self.config.therms {
            Some(_) => "JSON-RPC, @therms",
            None => "JSON-RPC",
        };
        let listeners = self.listeners();
        let all = || listeners.iter().flat_map(|(kind, urls)| urls.iter().map(move |url| (*kind, url)));
        let longest = all().map(|(_, url)| url.len()).max().unwrap_or_default();
        for (kind, url) in all() {
            let spoken = if matches!(kind, "http" | "ws") { spoken } else { "JSON-RPC" };
            writeln!(f, "  {url:<longest$}  {spoken}")?;
        }
        let lines = [
            ("broker", format!("{}, network `{}`", self.config.broker, self.config.network)),
            ("health", self.config.health.clone()),
            ("origins", self.origins()),
            ("identity", self.identity()),
            ("rate limits", self.rates()),
        ];
        writeln!(f)?;
        for (name, text) in lines {
            writeln!(f, "  {name:<18} {text}")?;
        }
        for (name, text) in limits::told(&self.config.limits) {
            write!(f, "\n  {name:<18} {text}")?;
        }
        Ok(())
    }
}
