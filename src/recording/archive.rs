//! Finds the one recording in a `.sigmf` archive (SigMF 1.2, "SigMF Archive Format": a POSIX.1-2001 tar).
//!
//! Only headers are read; samples stay where they are and are read from there. Crate `tar` parses headers and
//! pax records; walking is done here because its own iterator loads extension entries whole, however long.

use super::datatype::read_full;
use super::error::one_line;
use std::io::{self, Read, Seek, SeekFrom};
use tar::{EntryType, Header, PaxExtensions};

const BLOCK_BYTES: u64 = 512;
/// Longest pax or long-name entry that is read: names of 64 KiB are beyond every file system.
const MAX_EXTENSION_BYTES: u64 = 64 << 10;
/// Most entries that are looked at.
const MAX_ENTRIES: u32 = 100_000;

/// A file inside an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Position of its first byte in the archive.
    pub first_byte: u64,
    /// Bytes that the archive claims.
    pub bytes: u64,
}

/// The two files of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The metadata.
    pub meta: Member,
    /// The samples.
    pub data: Member,
}

/// Why an archive cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Compressed.
    #[error("is compressed ({0}); unpack it first")]
    Compressed(&'static str),
    /// Not a tar.
    #[error("is no tar archive: the header at byte {0} is damaged")]
    NotTar(u64),
    /// A name of 64 KiB, or a damaged extension.
    #[error("the extended header at byte {0} is damaged")]
    Extension(u64),
    /// A sparse file.
    #[error("\"{0}\" is stored sparse; unpack the archive and pack it again without")]
    Sparse(String),
    /// No metadata.
    #[error("holds no .sigmf-meta file")]
    NoMeta,
    /// Metadata without data.
    #[error("holds \"{0}\", but not the .sigmf-data file that belongs to it")]
    NoData(String),
    /// More than one recording.
    #[error(
        "holds {count} recordings, among them \"{first}\" and \"{second}\"; unpack it and name the ones to replay"
    )]
    Several {
        /// How many.
        count: usize,
        /// The first.
        first: String,
        /// The second.
        second: String,
    },
    /// More than [`MAX_ENTRIES`].
    #[error("holds more than {MAX_ENTRIES} files")]
    TooMany,
    /// The operating system refuses.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// Finds the recording in an archive of `length` bytes.
///
/// # Errors
/// An [`ArchiveError`] if there is not exactly one.
pub fn find(from: &mut (impl Read + Seek), length: u64) -> Result<Pair, ArchiveError> {
    let mut finds = Finds::default();
    let mut walk = Walk { from, at: 0, length, told: Told::default() };
    walk.refuse_compressed()?;
    for _ in 0..MAX_ENTRIES {
        match walk.next()? {
            Some((name, member)) => finds.note(name, member),
            None => return finds.pair(),
        }
    }
    Err(ArchiveError::TooMany)
}

/// Metadata and data seen so far, by base name. More than a handful of recordings is refused anyway, so only the
/// first few names are kept.
#[derive(Default)]
struct Finds {
    metas: Vec<(String, Member)>,
    datas: Vec<(String, Member)>,
    recordings: usize,
}

const KEPT_NAMES: usize = 16;

impl Finds {
    fn note(&mut self, name: String, member: Member) {
        // macOS puts a shadow of attributes beside every file, `._name`.
        if name.rsplit('/').next().is_some_and(|file| file.starts_with("._")) {
            return;
        }
        if let Some(base) = name.strip_suffix(".sigmf-meta") {
            self.recordings += 1;
            if self.metas.len() < KEPT_NAMES {
                self.metas.push((base.to_owned(), member));
            }
        } else if let Some(base) = name.strip_suffix(".sigmf-data").filter(|_| self.datas.len() < KEPT_NAMES)
        {
            self.datas.push((base.to_owned(), member));
        }
    }

    fn pair(self) -> Result<Pair, ArchiveError> {
        match self.metas.as_slice() {
            [] => Err(ArchiveError::NoMeta),
            [(base, meta)] => match self.datas.iter().find(|(name, _)| name == base) {
                Some(&(_, data)) => Ok(Pair { meta: *meta, data }),
                None => Err(ArchiveError::NoData(one_line(&format!("{base}.sigmf-meta")))),
            },
            [(first, _), (second, _), ..] => Err(ArchiveError::Several {
                count: self.recordings,
                first: one_line(first),
                second: one_line(second),
            }),
        }
    }
}

/// Goes from header to header.
struct Walk<'a, R> {
    from: &'a mut R,
    at: u64,
    length: u64,
    told: Told,
}

/// What extensions say of the entry that follows them.
#[derive(Default)]
struct Told {
    name: Option<String>,
    bytes: Option<u64>,
    sparse: bool,
}

impl<R: Read + Seek> Walk<'_, R> {
    fn refuse_compressed(&mut self) -> Result<(), ArchiveError> {
        let mut magic = [0; 6];
        self.from.seek(SeekFrom::Start(0))?;
        read_full(self.from, &mut magic)?;
        match magic {
            [0x1f, 0x8b, ..] => Err(ArchiveError::Compressed("gzip")),
            [0xfd, b'7', b'z', b'X', b'Z', 0] => Err(ArchiveError::Compressed("xz")),
            [b'P', b'K', 3, 4, ..] => Err(ArchiveError::Compressed("zip")),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Err(ArchiveError::Compressed("zstd")),
            [b'B', b'Z', b'h', ..] => Err(ArchiveError::Compressed("bzip2")),
            _ => Ok(()),
        }
    }

    /// The next ordinary file, or None at the end: a block of zeros, or no whole header any more.
    fn next(&mut self) -> Result<Option<(String, Member)>, ArchiveError> {
        loop {
            let header_at = self.at;
            let mut header = Header::new_old();
            self.from.seek(SeekFrom::Start(header_at))?;
            let filled = read_full(self.from, header.as_mut_bytes())?;
            let zeros = filled > 0 && header.as_bytes().iter().all(|&b| b == 0);
            let cut = header_at > 0 && (filled as u64) < BLOCK_BYTES;
            if zeros || cut {
                return Ok(None);
            }
            if (filled as u64) < BLOCK_BYTES || !checksum_holds(&header) {
                return Err(ArchiveError::NotTar(header_at));
            }
            let first_byte = header_at + BLOCK_BYTES;
            let claimed = header.entry_size().map_err(|_| ArchiveError::NotTar(header_at))?;
            let kind = header.entry_type();
            if matches!(kind, EntryType::XHeader | EntryType::GNULongName) {
                let extension = self.extension(first_byte, claimed)?;
                self.note_extension(kind, &extension);
            }
            let describes_next = matches!(
                kind,
                EntryType::XHeader
                    | EntryType::XGlobalHeader
                    | EntryType::GNULongName
                    | EntryType::GNULongLink
            );
            let of = if describes_next { Told::default() } else { std::mem::take(&mut self.told) };
            let bytes = of.bytes.unwrap_or(claimed);
            self.at = first_byte.saturating_add(bytes.div_ceil(BLOCK_BYTES).saturating_mul(BLOCK_BYTES));
            let name = of.name.unwrap_or_else(|| String::from_utf8_lossy(&header.path_bytes()).into_owned());
            match kind {
                _ if of.sparse => return Err(ArchiveError::Sparse(one_line(&name))),
                EntryType::GNUSparse => return Err(ArchiveError::Sparse(one_line(&name))),
                EntryType::Regular | EntryType::Continuous => {
                    return Ok(Some((name, Member { first_byte, bytes })));
                }
                _ => {}
            }
            if self.at >= self.length {
                return Ok(None);
            }
        }
    }

    fn extension(&mut self, first_byte: u64, bytes: u64) -> Result<Vec<u8>, ArchiveError> {
        if bytes > MAX_EXTENSION_BYTES {
            return Err(ArchiveError::Extension(first_byte));
        }
        let mut extension = vec![0; bytes as usize];
        if read_full(self.from, &mut extension)? < extension.len() {
            return Err(ArchiveError::Extension(first_byte));
        }
        Ok(extension)
    }

    fn note_extension(&mut self, kind: EntryType, extension: &[u8]) {
        if kind == EntryType::GNULongName {
            let name = extension.split(|&b| b == 0).next().unwrap_or_default();
            self.told.name = Some(String::from_utf8_lossy(name).into_owned());
            return;
        }
        for record in PaxExtensions::new(extension).flatten() {
            match record.key_bytes() {
                b"path" => self.told.name = Some(String::from_utf8_lossy(record.value_bytes()).into_owned()),
                b"size" => self.told.bytes = record.value().ok().and_then(|value| value.parse().ok()),
                key => self.told.sparse |= key.starts_with(b"GNU.sparse."),
            }
        }
    }
}

/// Whether the header's sum is right (POSIX.1-2001 `ustar`: the checksum field counts as spaces).
fn checksum_holds(header: &Header) -> bool {
    let sum = header
        .as_bytes()
        .iter()
        .enumerate()
        .map(|(i, &b)| u32::from(if (148..156).contains(&i) { b' ' } else { b }));
    header.cksum().is_ok_and(|claimed| claimed == sum.sum::<u32>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use tar::Builder;

    /// A tar of the crate's own making is the oracle.
    fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (name, bytes) in files {
            append(&mut builder, name, bytes);
        }
        builder.into_inner().unwrap()
    }

    fn append(builder: &mut Builder<Vec<u8>>, name: &str, bytes: &[u8]) {
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, name, bytes).unwrap();
    }

    fn found(bytes: &[u8]) -> Result<(&[u8], &[u8]), ArchiveError> {
        let pair = find(&mut Cursor::new(bytes), bytes.len() as u64)?;
        let content = |m: Member| &bytes[m.first_byte as usize..(m.first_byte + m.bytes) as usize];
        Ok((content(pair.meta), content(pair.data)))
    }

    #[test]
    fn one_recording_is_found_in_any_order() {
        let (meta, data) = (("air/x.sigmf-meta", &b"{}"[..]), ("air/x.sigmf-data", &[7; 1000][..]));
        let other = ("air/readme.txt", &b"hello"[..]);
        let shadow = ("air/._x.sigmf-meta", &b"attributes"[..]);
        for files in [[other, meta, shadow, data], [data, other, meta, shadow]] {
            assert_eq!(found(&tar(&files)).unwrap(), (&b"{}"[..], &[7; 1000][..]));
        }
    }

    #[test]
    fn long_names_of_gnu_and_pax_are_understood() {
        let folder = "folder/".repeat(40);
        let (meta, data) = (format!("{folder}x.sigmf-meta"), format!("{folder}x.sigmf-data"));
        assert_eq!(found(&tar(&[(&meta, b"{}"), (&data, b"1234")])).unwrap(), (&b"{}"[..], &b"1234"[..]));

        // pax: the name and a size that the header does not hold.
        let mut builder = Builder::new(Vec::new());
        for (name, bytes) in [(&meta, &b"{}"[..]), (&data, &[9; 700][..])] {
            let size = bytes.len().to_string();
            builder.append_pax_extensions([("path", name.as_bytes()), ("size", size.as_bytes())]).unwrap();
            let mut header = Header::new_ustar();
            header.set_size(0);
            header.set_cksum();
            builder.get_mut().extend(header.as_bytes());
            builder.get_mut().extend(bytes);
            let padded = builder.get_ref().len().next_multiple_of(BLOCK_BYTES as usize);
            builder.get_mut().resize(padded, 0);
        }
        assert_eq!(found(&builder.into_inner().unwrap()).unwrap(), (&b"{}"[..], &[9; 700][..]));
    }

    #[test]
    fn several_recordings_are_not_guessed_among() {
        let files = ["a.sigmf-meta", "a.sigmf-data", "b.sigmf-meta", "b.sigmf-data", "c.sigmf-meta"];
        let message = found(&tar(&files.map(|name| (name, &b"{}"[..])))).unwrap_err().to_string();
        assert_eq!(
            message,
            "holds 3 recordings, among them \"a\" and \"b\"; unpack it and name the ones to replay"
        );
    }

    #[test]
    fn incomplete_archives_are_refused() {
        assert!(matches!(found(&tar(&[("x.txt", b"")])), Err(ArchiveError::NoMeta)));
        let lone = tar(&[("x.sigmf-meta", b"{}"), ("y.sigmf-data", b"")]);
        assert!(matches!(found(&lone), Err(ArchiveError::NoData(name)) if name == "x.sigmf-meta"));
        assert!(matches!(found(b""), Err(ArchiveError::NotTar(0))));
        assert!(matches!(found(&[b'x'; 2000]), Err(ArchiveError::NotTar(0))));
        assert!(matches!(found(&[0x1f, 0x8b, 8, 0]), Err(ArchiveError::Compressed("gzip"))));
        let mut damaged = tar(&[("x.sigmf-meta", b"{}"), ("x.sigmf-data", b"1234")]);
        damaged[1024 + 5] ^= 1;
        assert!(matches!(found(&damaged), Err(ArchiveError::NotTar(1024))));
    }

    #[test]
    fn long_extensions_are_not_loaded() {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::GNULongName);
        header.set_size(1 << 40);
        header.set_cksum();
        let bytes = [header.as_bytes().as_slice(), &[b'x'; 1024]].concat();
        assert!(matches!(find(&mut Cursor::new(&bytes), 1 << 41), Err(ArchiveError::Extension(512))));
    }

    #[test]
    fn sparse_files_are_refused() {
        let mut builder = Builder::new(Vec::new());
        builder.append_pax_extensions([("GNU.sparse.major", &b"1"[..])]).unwrap();
        append(&mut builder, "x.sigmf-data", b"1234");
        assert!(
            matches!(found(&builder.into_inner().unwrap()), Err(ArchiveError::Sparse(name)) if name == "x.sigmf-data")
        );
    }
}
