//! [`server`]: a server that does what is set.

use super::config::{Config, Therms};
use trunkline::{Listener, Router, Server, access::Access, http::Http};

/// A server that does what is set. Its broker is still to be named.
pub(super) fn server(config: &Config) -> Server {
    let rates = [&config.rates.all_callers, &config.rates.each_caller];
    let router =
        rates.into_iter().flatten().fold(Router::new(), |router, rate| router.guard(rate.limit.guard()));
    let server = Server::new(router)
        .name(&config.name)
        .version(env!("CARGO_PKG_VERSION"))
        .network(&config.network)
        .limits(config.limits.clone());
    let server = if config.discoverable { server.discoverable() } else { server };
    let server = match &config.therms {
        Some(therms) => server.therms(language(therms)),
        None => server,
    };
    let server = match access(config) {
        Some(access) => server.security(access),
        None => server,
    };
    listening(server, config)
}

fn language(therms: &Therms) -> trunkline::Therms {
    let language = trunkline::Therms::default();
    let language = therms.max_body.into_iter().fold(language, trunkline::Therms::max_body);
    let language =
        therms.client_messages.iter().fold(language, |language, name| language.client_messages(name));
    therms.identity_changes.iter().fold(language, |language, name| language.identity_changes(name))
}

fn access(config: &Config) -> Option<Access> {
    let tokens = config.tokens.as_ref()?;
    let access = tokens.jwts.iter().cloned().fold(Access::new(), Access::jwt);
    let access = if tokens.required { access.only_known() } else { access };
    Some(match &config.rates.failed_logins {
        Some(rate) => access.logins(rate.limit.clone()),
        None => access,
    })
}

fn listening(mut server: Server, config: &Config) -> Server {
    for address in &config.listen.http {
        let config = config.clone();
        server = server.listen(Listener::http(address.to_string()).settings(move |http| port(http, config)));
    }
    for address in &config.listen.tcp {
        let listener = Listener::tcp(address.to_string());
        server = server.listen(match &config.tls {
            Some(tls) => listener.tls(tls.clone()),
            None => listener,
        });
    }
    config.listen.unix.iter().fold(server, Server::unix)
}

fn port(http: Http, config: Config) -> Http {
    let http = http.health(config.health).allow_hosts(config.hosts).trust_proxies(config.trusted_proxies);
    let http = match config.origins {
        Some(origins) if origins == ["*"] => http.allow_any_origin(),
        Some(origins) => http.allow_origins(origins),
        None => http,
    };
    match config.tls {
        Some(tls) => http.tls(tls),
        None => http,
    }
}
