//! A decoded frame in memory that nobody else looks at.
//!
//! Decoders keep frames they predict from; painting into those would put the
//! mask into every later picture and, worse, what is painted is not what is
//! shown. So a frame is painted in place only where the buffer and all of its
//! memory are ours alone, and copied otherwise.

use gst_video::prelude::*;
use gst_video::video_frame::Writable;
use gst_video::{VideoFormat, VideoFrame, VideoFrameRef, VideoInfo};
use gstreamer as gst;
use gstreamer_video as gst_video;

use crate::frame::{FrameError, FrameMut, FrameRef, Matrix, PixelFormat, Plane, PlaneMut, Range};
use crate::geom::Size;
use crate::paint::Paintable;

/// A mapped, writable picture of our own. The only carrier of a masked frame of video.
pub(crate) struct GstFrame {
    /// Boxed: it is large, and moves through a few results.
    mapped: Box<VideoFrame<Writable>>,
    format: PixelFormat,
}

/// Why a buffer did not become a [`GstFrame`]. The frame is dropped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("{0:?} is not a form we paint")]
    Format(VideoFormat),
    #[error("the buffer cannot be mapped")]
    Map,
    #[error("no memory for a copy")]
    Pool,
}

impl std::fmt::Debug for GstFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GstFrame({:?})", self.format)
    }
}

impl GstFrame {
    /// Takes `buffer`, stamped with `pts`; copies it where it is shared.
    pub(crate) fn own(
        mut buffer: gst::Buffer,
        info: &VideoInfo,
        copies: &mut Copies,
        pts: gst::ClockTime,
    ) -> Result<Self, Unusable> {
        let format = pixel_format(info)?;
        if !(buffer.is_writable() && buffer.is_all_memory_writable()) {
            buffer = copies.copy(&buffer, info)?;
        }
        {
            let stamped = buffer.get_mut().ok_or(Unusable::Map)?;
            stamped.set_pts(pts);
            stamped.set_dts(None);
        }
        let mapped = VideoFrame::from_buffer_writable(buffer, info).map_err(|_| Unusable::Map)?;
        Ok(Self {
            mapped: Box::new(mapped),
            format,
        })
    }

    /// An empty picture of `info`'s form, whatever its memory holds.
    pub(super) fn blank(
        info: &VideoInfo,
        copies: &mut Copies,
        pts: gst::ClockTime,
    ) -> Result<Self, Unusable> {
        let buffer = copies.empty(info)?;
        Self::own(buffer, info, copies, pts)
    }

    pub(crate) fn size(&self) -> Size {
        Size {
            width: self.mapped.info().width(),
            height: self.mapped.info().height(),
        }
    }

    pub(crate) fn info(&self) -> &VideoInfo {
        self.mapped.info()
    }

    pub(crate) fn into_buffer(self) -> gst::Buffer {
        self.mapped.into_buffer()
    }

    /// The picture to look at.
    pub(crate) fn view(&self) -> Result<FrameRef<'_>, FrameError> {
        let mapped = &self.mapped;
        let plane = |n| mapped.plane_data(n).ok();
        view(mapped.info(), self.format, mapped.plane_stride(), plane)
    }
}

impl Paintable for GstFrame {
    fn planes(&mut self) -> Result<FrameMut<'_>, FrameError> {
        let size = self.size();
        let format = self.format;
        let count = match format {
            PixelFormat::I420 => 3,
            PixelFormat::Nv12 => 2,
        };
        // A negative stride (bottom-up) becomes enormous, and is refused.
        let strides: Vec<usize> = self
            .mapped
            .plane_stride()
            .iter()
            .map(|s| usize::try_from(*s).unwrap_or(usize::MAX))
            .collect();
        let planes = self
            .mapped
            .planes_data_mut()
            .into_iter()
            .zip(strides)
            .take(count)
            .map(|(data, stride)| PlaneMut { data, stride })
            .collect();
        FrameMut::new(format, size, planes)
    }
}

/// Lets `look` see a picture that is not ours to paint. A picture in a form that
/// cannot be looked at is not shown: nobody will have looked at it.
pub(super) fn lend(buffer: &gst::Buffer, info: &VideoInfo, look: impl FnOnce(&FrameRef<'_>)) {
    let (Ok(format), Ok(mapped)) = (
        pixel_format(info),
        VideoFrameRef::from_buffer_ref_readable(buffer, info),
    ) else {
        return;
    };
    let plane = |n| mapped.plane_data(n).ok();
    if let Ok(picture) = view(info, format, mapped.plane_stride(), plane) {
        look(&picture);
    }
}

/// The planes of a mapped picture, and how its colours were made.
fn view<'a>(
    info: &VideoInfo,
    format: PixelFormat,
    strides: &[i32],
    data: impl Fn(u32) -> Option<&'a [u8]>,
) -> Result<FrameRef<'a>, FrameError> {
    let planes = (0..info.n_planes())
        .zip(strides)
        .filter_map(|(plane, stride)| {
            let data = data(plane)?;
            let stride = usize::try_from(*stride).ok()?;
            Some(Plane { data, stride })
        });
    let size = Size {
        width: info.width(),
        height: info.height(),
    };
    let matrix = match info.colorimetry().matrix() {
        gst_video::VideoColorMatrix::Bt601 => Matrix::Bt601,
        gst_video::VideoColorMatrix::Bt709 => Matrix::Bt709,
        _ => Matrix::usual(size),
    };
    let range = match info.colorimetry().range() {
        gst_video::VideoColorRange::Range0_255 => Range::Full,
        _ => Range::Limited,
    };
    Ok(FrameRef::new(format, size, matrix, planes.collect())?.in_range(range))
}

fn pixel_format(info: &VideoInfo) -> Result<PixelFormat, Unusable> {
    match info.format() {
        VideoFormat::I420 => Ok(PixelFormat::I420),
        VideoFormat::Nv12 => Ok(PixelFormat::Nv12),
        other => Err(Unusable::Format(other)),
    }
}

/// Memory for copies, used again and again.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    pool: Option<(VideoInfo, gst_video::VideoBufferPool)>,
}

impl Copies {
    fn copy(&mut self, from: &gst::Buffer, info: &VideoInfo) -> Result<gst::Buffer, Unusable> {
        let source =
            VideoFrame::from_buffer_readable(from.clone(), info).map_err(|_| Unusable::Map)?;
        let mut target =
            VideoFrame::from_buffer_writable(self.empty(info)?, info).map_err(|_| Unusable::Map)?;
        source.copy(&mut target).map_err(|_| Unusable::Map)?;
        let mut copy = target.into_buffer();
        let to = copy.get_mut().ok_or(Unusable::Map)?;
        // Not the metas as a whole: the source's strides are not the copy's.
        from.copy_into(
            to,
            gst::BufferCopyFlags::FLAGS | gst::BufferCopyFlags::TIMESTAMPS,
            ..,
        )
        .map_err(|_| Unusable::Map)?;
        for meta in from.iter_meta::<gst::ReferenceTimestampMeta>() {
            gst::ReferenceTimestampMeta::add(
                to,
                &meta.reference().to_owned(),
                meta.timestamp(),
                meta.duration(),
            );
        }
        Ok(copy)
    }

    fn empty(&mut self, info: &VideoInfo) -> Result<gst::Buffer, Unusable> {
        let pool = match &self.pool {
            Some((of, pool)) if of == info => pool.clone(),
            _ => {
                self.release();
                let pool = new_pool(info).map_err(|_| Unusable::Pool)?;
                self.pool = Some((info.clone(), pool.clone()));
                pool
            }
        };
        pool.acquire_buffer(None).map_err(|_| Unusable::Pool)
    }

    /// Lets go of the memory; buffers that are still out free themselves.
    pub(super) fn release(&mut self) {
        if let Some((_, pool)) = self.pool.take() {
            // Fails only for a pool that was never active.
            let _ = pool.set_active(false);
        }
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        self.release();
    }
}

fn new_pool(info: &VideoInfo) -> Result<gst_video::VideoBufferPool, gst::glib::BoolError> {
    let pool = gst_video::VideoBufferPool::new();
    let mut config = pool.config();
    let bytes = u32::try_from(info.size()).unwrap_or(u32::MAX);
    config.set_params(Some(&info.to_caps()?), bytes, 0, 0);
    pool.set_config(config)?;
    pool.set_active(true)?;
    Ok(pool)
}
