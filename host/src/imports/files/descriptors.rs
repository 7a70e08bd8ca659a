//! `wasi:filesystem/types` over wasmtime's own implementation.
//!
//! Invariant: whatever makes a directory fuller goes through its [`Usage`], where it has one, before it is
//! done; what stays inside one directory cannot leave it for another.

use std::fs::File;
use std::sync::Arc;

use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::{Descriptor, File as WasiFile};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream,
    ErrorCode, Filesize, HostDescriptor, HostDirectoryEntryStream, MetadataHashValue, NewTimestamp,
    OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::pipe::ClosedInputStream;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};
use wasmtime_wasi::runtime::spawn_blocking;

use crate::imports::Imports;
use crate::imports::files::streams::{Reading, Writing};
use crate::imports::files::usage::{At, Failed, Size, Usage};
use crate::imports::files::{Granted, Held, MAX_LISTED, Place, TooManyFiles};

type Fd = Resource<Descriptor>;

/// The same descriptor once more: the guest keeps it either way.
fn again(fd: &Fd) -> Fd {
    Resource::new_borrow(fd.rep())
}

fn same(a: &Arc<Granted>, b: &Arc<Granted>) -> FsResult<()> {
    // Programs copy then, and a copy is counted.
    if Arc::ptr_eq(a, b) { Ok(()) } else { Err(ErrorCode::CrossDevice.into()) }
}

/// Names in a directory, as far as `most` and one more.
fn count_names(directory: &File, most: u64) -> std::io::Result<u64> {
    let mut names = 0;
    for entry in rustix::fs::Dir::read_from(directory)? {
        entry?;
        names += 1;
        if names > most {
            break;
        }
    }
    Ok(names)
}

impl Imports {
    fn file(&self, fd: &Fd) -> FsResult<&WasiFile> {
        match self.table.get(fd)? {
            Descriptor::File(file) => Ok(file),
            Descriptor::Dir(_) => Err(ErrorCode::BadDescriptor.into()),
        }
    }

    fn directory(&self, fd: &Fd) -> FsResult<Arc<File>> {
        match self.table.get(fd)? {
            Descriptor::Dir(directory) => Ok(Arc::clone(&directory.dir)),
            Descriptor::File(_) => Err(ErrorCode::NotDirectory.into()),
        }
    }

    /// Makes an entry that takes room.
    async fn make<R>(
        &mut self,
        usage: Option<Arc<Usage>>,
        size: Size,
        make: impl AsyncFnOnce(&mut Self) -> FsResult<R>,
    ) -> FsResult<R> {
        let Some(usage) = usage else { return make(self).await };
        usage.take(size).await?;
        let made = make(self).await;
        if made.is_err() {
            usage.give_back(size).await;
        }
        made
    }

    /// Whether something is there to be opened. What is no file or directory is not opened: opening a FIFO
    /// waits for its other end, and a device does whatever it does.
    async fn is_there(&mut self, fd: &Fd, flags: PathFlags, path: &str) -> FsResult<bool> {
        // Whatever is wrong with the path, opening it will tell.
        let stat = self.wasi().stat_at(again(fd), flags, path.to_owned()).await.ok();
        match stat.map(|stat| stat.type_) {
            None => Ok(false),
            Some(DescriptorType::RegularFile | DescriptorType::Directory | DescriptorType::SymbolicLink) => {
                Ok(true)
            }
            Some(_) => Err(ErrorCode::NotPermitted.into()),
        }
    }

    /// Opens what may be opened, and keeps what the guest then holds.
    async fn open(
        &mut self,
        fd: &Fd,
        of: Arc<Granted>,
        place: Place,
        (path_flags, path): (PathFlags, String),
        (open, flags): (OpenFlags, DescriptorFlags),
    ) -> FsResult<Fd> {
        let opened = self.wasi().open_at(again(fd), path_flags, path, open, flags).await?;
        self.files.held.insert(opened.rep(), Held { of, _place: Some(place) });
        Ok(opened)
    }

    /// Cuts a file that was opened to be cut; where that fails it was not opened.
    async fn cut(&mut self, opened: Fd, usage: &Arc<Usage>) -> FsResult<Fd> {
        let file = Arc::clone(&self.file(&opened)?.file);
        match usage.set_size(file, 0).await {
            Ok(()) => Ok(opened),
            Err(failed) => {
                HostDescriptor::drop(self, opened).map_err(FsError::trap)?;
                Err(failed.into())
            }
        }
    }

    fn push_writing(&mut self, fd: &Fd, usage: Arc<Usage>, at: At) -> FsResult<Resource<DynOutputStream>> {
        let file = Arc::clone(&self.file(fd)?.file);
        let writing = Writing::new(file, usage, at, self.files.place()?);
        Ok(self.table.push(Box::new(writing) as DynOutputStream)?)
    }
}

impl types::Host for Imports {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        match self.table.get(&error)?.downcast_ref::<Failed>() {
            Some(failed) => Ok(Some(failed.code())),
            None => self.wasi().filesystem_error_code(error),
        }
    }
}

impl HostDescriptor for Imports {
    async fn open_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
        mut open: OpenFlags,
        mut flags: DescriptorFlags,
    ) -> FsResult<Fd> {
        let (place, of) = (self.files.place()?, self.files.granted(&fd)?);
        let there = self.is_there(&fd, path_flags, &path).await?;
        let Some(usage) = of.usage.clone() else {
            return self.open(&fd, of, place, (path_flags, path), (open, flags)).await;
        };
        let cuts = open.contains(OpenFlags::TRUNCATE) && !open.contains(OpenFlags::DIRECTORY);
        if cuts {
            // Here, so that what is cut off is room again.
            open ^= OpenFlags::TRUNCATE;
            flags |= DescriptorFlags::WRITE;
        }
        let makes = (open.contains(OpenFlags::CREATE) && !there).then(|| Arc::clone(&usage));
        let opened = self
            .make(makes, Size::entry(0), async |imports| {
                imports.open(&fd, of, place, (path_flags, path), (open, flags)).await
            })
            .await?;
        if cuts { self.cut(opened, &usage).await } else { Ok(opened) }
    }

    async fn write(&mut self, fd: Fd, bytes: Vec<u8>, offset: Filesize) -> FsResult<Filesize> {
        match self.files.usage(&fd)? {
            Some(usage) => {
                let file = Arc::clone(&self.file(&fd)?.file);
                Ok(usage.write(file, bytes.into(), At::Offset(offset)).await?)
            }
            None => self.wasi().write(fd, bytes, offset).await,
        }
    }

    async fn set_size(&mut self, fd: Fd, size: Filesize) -> FsResult<()> {
        match self.files.usage(&fd)? {
            Some(usage) => Ok(usage.set_size(Arc::clone(&self.file(&fd)?.file), size).await?),
            None => self.wasi().set_size(fd, size).await,
        }
    }

    fn write_via_stream(&mut self, fd: Fd, offset: Filesize) -> FsResult<Resource<DynOutputStream>> {
        match self.files.usage(&fd)? {
            Some(usage) => self.push_writing(&fd, usage, At::Offset(offset)),
            None => self.wasi().write_via_stream(fd, offset),
        }
    }

    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        match self.files.usage(&fd)? {
            Some(usage) => self.push_writing(&fd, usage, At::End),
            None => self.wasi().append_via_stream(fd),
        }
    }

    fn read_via_stream(&mut self, fd: Fd, offset: Filesize) -> FsResult<Resource<DynInputStream>> {
        let place = self.files.place()?;
        let stream = self.wasi().read_via_stream(fd, offset)?;
        let held = self.table.get_mut(&stream)?;
        let read = std::mem::replace(held, Box::new(ClosedInputStream));
        *held = Box::new(Reading { stream: read, _place: place });
        Ok(stream)
    }

    async fn create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        let usage = self.files.usage(&fd)?;
        self.make(usage, Size::entry(0), async |imports| imports.wasi().create_directory_at(fd, path).await)
            .await
    }

    async fn symlink_at(&mut self, fd: Fd, target: String, path: String) -> FsResult<()> {
        let (usage, size) = (self.files.usage(&fd)?, Size::entry(target.len() as u64));
        self.make(usage, size, async |imports| imports.wasi().symlink_at(fd, target, path).await).await
    }

    async fn link_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
        new_fd: Fd,
        new_path: String,
    ) -> FsResult<()> {
        let granted = self.files.granted(&fd)?;
        same(&granted, &self.files.granted(&new_fd)?)?;
        let link = async |imports: &mut Self| imports.wasi().link_at(fd, flags, path, new_fd, new_path).await;
        self.make(granted.usage.clone(), Size::entry(0), link).await
    }

    async fn rename_at(&mut self, fd: Fd, path: String, new_fd: Fd, new_path: String) -> FsResult<()> {
        let granted = self.files.granted(&fd)?;
        same(&granted, &self.files.granted(&new_fd)?)?;
        self.wasi().rename_at(fd, path, new_fd, new_path).await?;
        // What had the name before is gone.
        granted.usage.iter().for_each(|usage| usage.freed());
        Ok(())
    }

    async fn unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        let usage = self.files.usage(&fd)?;
        self.wasi().unlink_file_at(fd, path).await?;
        usage.iter().for_each(|usage| usage.freed());
        Ok(())
    }

    async fn remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        let usage = self.files.usage(&fd)?;
        self.wasi().remove_directory_at(fd, path).await?;
        usage.iter().for_each(|usage| usage.freed());
        Ok(())
    }

    /// wasmtime reads a directory whole before it gives the first name, so it is counted before.
    async fn read_directory(&mut self, fd: Fd) -> FsResult<Resource<DirectoryEntryStream>> {
        let (directory, room) = (self.directory(&fd)?, MAX_LISTED.saturating_sub(self.files.listed()));
        // Two of them are the directory itself and the one above it.
        let names = spawn_blocking(move || count_names(&directory, room + 2)).await?;
        if names > room + 2 {
            return Err(TooManyFiles::Listed.into());
        }
        let listing = self.wasi().read_directory(fd).await?;
        self.files.listed.insert(listing.rep(), names);
        Ok(listing)
    }

    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        self.files.held.remove(&fd.rep());
        HostDescriptor::drop(&mut self.untouched(), fd)
    }

    async fn advise(&mut self, fd: Fd, offset: Filesize, len: Filesize, advice: Advice) -> FsResult<()> {
        self.wasi().advise(fd, offset, len, advice).await
    }

    async fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
        self.wasi().sync_data(fd).await
    }

    async fn sync(&mut self, fd: Fd) -> FsResult<()> {
        self.wasi().sync(fd).await
    }

    async fn get_flags(&mut self, fd: Fd) -> FsResult<DescriptorFlags> {
        self.wasi().get_flags(fd).await
    }

    async fn get_type(&mut self, fd: Fd) -> FsResult<DescriptorType> {
        self.wasi().get_type(fd).await
    }

    async fn set_times(&mut self, fd: Fd, access: NewTimestamp, change: NewTimestamp) -> FsResult<()> {
        self.wasi().set_times(fd, access, change).await
    }

    async fn set_times_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
        access: NewTimestamp,
        change: NewTimestamp,
    ) -> FsResult<()> {
        self.wasi().set_times_at(fd, flags, path, access, change).await
    }

    async fn read(&mut self, fd: Fd, len: Filesize, offset: Filesize) -> FsResult<(Vec<u8>, bool)> {
        self.wasi().read(fd, len, offset).await
    }

    async fn stat(&mut self, fd: Fd) -> FsResult<DescriptorStat> {
        self.wasi().stat(fd).await
    }

    async fn stat_at(&mut self, fd: Fd, flags: PathFlags, path: String) -> FsResult<DescriptorStat> {
        self.wasi().stat_at(fd, flags, path).await
    }

    async fn readlink_at(&mut self, fd: Fd, path: String) -> FsResult<String> {
        self.wasi().readlink_at(fd, path).await
    }

    async fn is_same_object(&mut self, a: Fd, b: Fd) -> wasmtime::Result<bool> {
        self.wasi().is_same_object(a, b).await
    }

    async fn metadata_hash(&mut self, fd: Fd) -> FsResult<MetadataHashValue> {
        self.wasi().metadata_hash(fd).await
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        self.wasi().metadata_hash_at(fd, flags, path).await
    }
}

impl HostDirectoryEntryStream for Imports {
    async fn read_directory_entry(
        &mut self,
        listing: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        self.wasi().read_directory_entry(listing).await
    }

    fn drop(&mut self, listing: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        self.files.listed.remove(&listing.rep());
        HostDirectoryEntryStream::drop(&mut self.wasi(), listing)
    }
}
