//! [`SocketFile`]: what a Unix socket is in the file system.

use std::{
    fs::{self, FileType, Metadata},
    io,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};
use tokio::net::{UnixListener, UnixStream};

/// The file of a Unix socket that was bound. Dropping it removes the file, unless
/// another has taken its place meanwhile.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Device and number of the file.
    file: Option<(u64, u64)>,
}

impl SocketFile {
    /// Binds a socket, in the place of one that a dead process left behind.
    pub(super) async fn bind(path: &Path) -> io::Result<(UnixListener, Self)> {
        if let Ok(there) = fs::symlink_metadata(path) {
            make_way(path, there.file_type()).await?;
        }
        let listener = UnixListener::bind(path)?;
        let file = fs::symlink_metadata(path).ok().map(|there| number(&there));
        Ok((listener, Self { path: path.to_owned(), file }))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let there = fs::symlink_metadata(&self.path).ok().map(|there| number(&there));
        if there.is_some() && there == self.file {
            // somebody else may have removed it just now: then there is nothing to do
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn number(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// Removes a socket that nobody listens at. Only sockets are ever removed: to
/// connect to what is none is refused in the same way.
async fn make_way(path: &Path, there: FileType) -> io::Result<()> {
    let in_the_way = |what| {
        let path = path.display();
        let message =
            format!("{path} is {what}: only a socket is replaced; name another path, or remove it yourself");
        Err(io::Error::new(io::ErrorKind::AlreadyExists, message))
    };
    if !there.is_socket() {
        return in_the_way(match () {
            () if there.is_file() => "a file",
            () if there.is_dir() => "a directory",
            () if there.is_symlink() => "a symbolic link",
            () => "no socket",
        });
    }
    match UnixStream::connect(path).await {
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            format!("somebody listens at {}; name another path, or stop whoever it is", path.display()),
        )),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
