//! Outputs that list one box a row: ours, and the YOLO families.

use super::{DecodeError, Found, Tensor, about};

/// `scores[1,N]` and `boxes[1,N,4]`, by name.
pub(super) fn boxes(outputs: &[Tensor<'_>], found: &mut Found) -> Result<(), DecodeError> {
    let named = |name| outputs.iter().find(|t| t.name == name);
    let (Some(scores), Some(boxes)) = (named("scores"), named("boxes")) else {
        return Err(found.too_few(2, outputs.len()));
    };
    let [one, n] = found.extents(scores, "[1, N]")?;
    let wanted = format!("[1, {n}, 4]");
    let [batch, rows, four] = found.extents(boxes, &wanted)?;
    if one != 1 {
        return Err(found.wrong_shape(scores, "[1, N]"));
    }
    if (batch, rows, four) != (1, n, 4) {
        return Err(found.wrong_shape(boxes, wanted));
    }
    for (at, (&score, corners)) in scores
        .data
        .iter()
        .zip(boxes.data.chunks_exact(4))
        .enumerate()
    {
        if found.counts(scores, at, score)? {
            let corners = [corners[0], corners[1], corners[2], corners[3]].map(f64::from);
            found.take(boxes, at, corners, score)?;
        }
    }
    Ok(())
}

/// `[1, 4 + classes, N]`: column-wise centre, size and class scores. A file
/// whose graph ends in a transpose (`[1, N, 4 + classes]`) is not this family.
pub(super) fn yolov8(
    outputs: &[Tensor<'_>],
    classes: &[usize],
    found: &mut Found,
) -> Result<(), DecodeError> {
    let [out] = found.first(outputs)?;
    let wanted = "[1, 4 + classes, N], with more boxes than classes";
    let [one, attributes, n] = found.extents(out, wanted)?;
    // One of the two is the number of boxes, always the larger in practice.
    if one != 1 || attributes < 5 || n < attributes {
        return Err(found.wrong_shape(out, wanted));
    }
    let classes = chosen(classes, attributes - 4, out, found)?;
    for at in 0..n {
        let mut best = 0.0_f32;
        for class in &classes {
            let place = (4 + class) * n + at;
            let score = out.data[place];
            // For its checks; whether it counts is asked of the best one.
            found.counts(out, place, score)?;
            best = best.max(score);
        }
        if best >= found.threshold {
            let [cx, cy, w, h] = [0, 1, 2, 3].map(|i| f64::from(out.data[i * n + at]));
            found.take(out, at, about(cx, cy, w, h), best)?;
        }
    }
    Ok(())
}

/// `[1, N, 5 + classes]`: row-wise centre, size, object score and class scores.
pub(super) fn yolov5(
    outputs: &[Tensor<'_>],
    classes: &[usize],
    found: &mut Found,
) -> Result<(), DecodeError> {
    let [out] = found.first(outputs)?;
    let wanted = "[1, N, 5 + classes], with more boxes than classes";
    let [one, n, attributes] = found.extents(out, wanted)?;
    if one != 1 || attributes < 6 || n < attributes {
        return Err(found.wrong_shape(out, wanted));
    }
    let classes = chosen(classes, attributes - 5, out, found)?;
    for (at, row) in out.data.chunks_exact(attributes).enumerate() {
        let object_at = at * attributes + 4;
        found.counts(out, object_at, row[4])?;
        let mut best = 0.0_f32;
        for class in &classes {
            found.counts(out, object_at + 1 + class, row[5 + class])?;
            best = best.max(row[5 + class]);
        }
        let score = row[4] * best;
        if score >= found.threshold {
            let [cx, cy, w, h] = [row[0], row[1], row[2], row[3]].map(f64::from);
            found.take(out, at, about(cx, cy, w, h), score)?;
        }
    }
    Ok(())
}

/// The classes that count: the named ones, or all.
fn chosen(
    named: &[usize],
    has: usize,
    out: &Tensor<'_>,
    found: &Found,
) -> Result<Vec<usize>, DecodeError> {
    if named.is_empty() {
        return Ok((0..has).collect());
    }
    match named.iter().find(|class| **class >= has) {
        None => Ok(named.to_vec()),
        Some(class) => Err(found.wrong_shape(out, format!("a class {class}; it has {has}"))),
    }
}
