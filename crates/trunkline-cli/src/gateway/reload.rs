//! [`Reloading`]: settings that are read anew while a gateway serves.

use super::{Args, config::Config, load, serve};
use crate::signals;
use tokio::signal::unix::Signal;
use trunkline::Reloader;

/// Settings that are read anew while a gateway serves, whenever the system says SIGHUP.
pub(super) struct Reloading {
    pub(super) args: Args,
    pub(super) config: Config,
    pub(super) reloader: Reloader,
    /// From before the gateway has begun: one that came too early would have ended it.
    pub(super) wanted: Option<Signal>,
}

impl Reloading {
    /// Reads them anew each time, for ever.
    pub(super) async fn run(mut self) {
        loop {
            signals::next(&mut self.wanted).await;
            self.reload().await;
        }
    }

    /// Settings that make no sense change nothing.
    async fn reload(&mut self) {
        let mut config = match load(&self.args) {
            Ok(loaded) => loaded.config,
            Err(failure) => {
                return tracing::error!("the settings stay as they were: {}", failure.in_a_line());
            }
        };
        for key in config.wants_restart(&self.config) {
            tracing::warn!("needs a restart: `{key}` has changed, and stays as it was until then");
        }
        config.keep(&self.config);
        match self.reloader.reload(serve::server(&config)).await {
            Ok(()) => tracing::info!("reloaded: who connects from now on is served with the new settings"),
            Err(error) => return tracing::error!("the settings stay as they were: {error}"),
        }
        self.config = config;
    }
}
