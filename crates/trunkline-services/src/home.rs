//! [`Home`]: the folder of one server, which holds its data, its log and which its processes are.
//!
//! All are in `target/services`, named after the first of the server's ports, so that making the
//! folder claims the ports. In that of a server which all share, the file `shared` says of which kind
//! it is.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, io, process};

use crate::process::Process;

/// How many ports in a row a server has, and where they are: below those that the system gives to
/// outgoing connections, or one of these could have the port of a server that is to come back.
const EACH: u16 = 4;
const FIRST: u16 = 20_000;
const SLOTS: u16 = 3_000;

/// Where one server lives.
#[derive(Debug)]
pub(crate) struct Home {
    folder: PathBuf,
    port: u16,
}

impl Home {
    /// A new one, with ports that nobody listens at.
    pub(crate) fn new() -> Result<Self, String> {
        fs::create_dir_all(services()).map_err(|error| cannot("make", &services(), &error))?;
        // Each search begins elsewhere, as other checkouts have folders of their own, and as ports whose
        // server has ended should stay without one while somebody may look.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let start = process::id().wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed)) % u32::from(SLOTS);
        let start = u16::try_from(start).unwrap_or_default();
        for slot in (start..SLOTS).chain(0..start) {
            let home = Self::at(FIRST + slot * EACH);
            if !(home.port..home.port + EACH).all(is_free) {
                continue;
            }
            match fs::create_dir(&home.folder) {
                Ok(()) => return Ok(home),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(cannot("make", &home.folder, &error)),
            }
        }
        Err(format!("all ports from {FIRST} on are taken; `cargo xtask services stop` ends what was left"))
    }

    /// All there are, also those whose servers have ended without removing them.
    pub(crate) fn all() -> Vec<Self> {
        let entries = fs::read_dir(services()).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).map(Self::at).collect()
    }

    /// Whether this is one of a server of this kind which all share.
    pub(crate) fn is_shared(&self, kind: &str) -> bool {
        fs::read_to_string(self.folder.join("shared")).is_ok_and(|name| name == kind)
    }

    /// Makes this one which all share.
    pub(crate) fn share(&self, kind: &str) -> Result<(), String> {
        let file = self.folder.join("shared");
        fs::write(&file, kind).map_err(|error| cannot("write", &file, &error))
    }

    fn at(port: u16) -> Self {
        Self { folder: services().join(port.to_string()), port }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The first of its ports, which is that for clients.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The processes that were last noted.
    pub(crate) fn processes(&self) -> Vec<Process> {
        let notes = fs::read_to_string(self.folder.join("processes")).unwrap_or_default();
        notes.lines().filter_map(Process::noted).collect()
    }

    /// Notes the processes, for those who have only the folder.
    pub(crate) fn note(&self, processes: &[Process]) -> Result<(), String> {
        let file = self.folder.join("processes");
        let notes: String = processes.iter().map(|process| process.note() + "\n").collect();
        fs::write(&file, notes).map_err(|error| cannot("write", &file, &error))
    }

    /// The last lines of what the server printed.
    pub(crate) fn log(&self) -> String {
        let text = fs::read(self.folder.join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Ends the processes that were noted and removes the folder.
    pub(crate) fn end(&self) -> Result<(), String> {
        self.processes().iter().try_for_each(Process::kill)?;
        fs::remove_dir_all(&self.folder).map_err(|error| cannot("remove", &self.folder, &error))
    }
}

/// Ends every server of this checkout, shared or not, also those that a killed test left behind,
/// and says how many there were.
///
/// # Errors
///
/// Fails when a process cannot be ended or a folder not be removed.
pub fn end_all() -> Result<usize, String> {
    let homes = Home::all();
    homes.iter().try_for_each(Home::end)?;
    Ok(homes.len())
}

/// `services` in the folder where cargo puts what it builds.
fn services() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().unwrap_or(root);
    root.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into())).join("services")
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> String {
    format!("cannot {what} {}: {error}", path.display())
}
