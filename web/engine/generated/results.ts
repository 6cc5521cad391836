/* Made by `npm run types` from docs/reference/results.schema.json. */

export interface ResultsOfBreastseg {
  /**
   * the program's name
   */
  software: "breastseg";
  /**
   * its version
   */
  software_version: string;
  /**
   * of this form; raised by a change that readers must know of
   */
  schema_version: 1;
  /**
   * that this is a research tool and not a medical device
   */
  notice: string;
  /**
   * false where the run was stopped before its end
   */
  complete: boolean;
  /**
   * what was asked for, by the name of the option
   */
  options: {
    [k: string]:
      | string
      | number
      | boolean
      | (string | number | boolean | null)[]
      | (string | number | boolean | null)[][]
      | null;
  };
  provenance?: SegmenterRecord;
  /**
   * in the order of the inputs
   */
  entries: Entry[];
}
/**
 * what produced the results; absent where nothing was segmented
 */
export interface SegmenterRecord {
  /**
   * name of the method or bundle
   */
  segmenter: string;
  /**
   * its version
   */
  version: string;
  /**
   * all parameters in force, the operating point among them
   */
  parameters: {
    [k: string]: string | number | boolean | null;
  };
  /**
   * digest of the weights; absent where the method has none
   */
  weights_sha256?: string;
}
export interface Entry {
  /**
   * the file as it was named; of a volume the first of its files or folders
   */
  input: string;
  /**
   * image, frame, volume or slide
   */
  kind: "image" | "frame" | "volume" | "slide";
  /**
   * ok or error
   */
  status: "ok" | "error";
  /**
   * with status error, what is wrong in one line
   */
  error?: string;
  /**
   * number of the frame in its file, from 1; absent where the file is one image
   */
  frame?: number;
  /**
   * of a volume, what its phases are called, in the order of their time
   */
  phases?: string[];
  reference?: SourceReference;
  /**
   * [rows, columns], of a volume [slices, rows, columns]; of a slide at full resolution
   */
  shape?: number[];
  /**
   * of a slide, (row, column) of its first pixel on the whole plane of its file
   *
   * @minItems 2
   * @maxItems 2
   */
  origin_px?: [number, number];
  /**
   * distance of pixel centres along each axis; absent where it is not known
   */
  spacing_mm?: number[];
  /**
   * side and view of a mammogram as its file states them, such as L MLO
   */
  view?: string;
  /**
   * two points of the straight skin line that a person has laid, in pixels; it goes on beyond them. Absent where distances to the skin are to the breast's edge as seen
   *
   * @minItems 2
   * @maxItems 2
   */
  skin_line?: [number[], number[]];
  /**
   * what must be known before a result is trusted; empty for most
   */
  remarks: string[];
  /**
   * what is segmented: lesion, or what the bundle says, such as nucleus
   */
  label?: string;
  /**
   * the largest first; empty where none was found
   */
  lesions: LesionRecord[];
  /**
   * probability that the image shows a lesion, 0 to 1, calibrated on other patients; absent where the method was not calibrated
   */
  confidence?: number;
  /**
   * probability that the image shows a malignant lesion, 0 to 1; absent where the method does not say or found nothing
   */
  malignancy?: number;
  /**
   * what was done, in order, in words
   */
  steps: string[];
  files: Files;
  prior?: PriorStudy;
}
/**
 * the DICOM objects that it was read from; absent for what is no DICOM
 */
export interface SourceReference {
  /**
   * Study Instance UID; empty where the file states none, as the next two
   */
  study_uid: string;
  /**
   * Accession Number
   */
  accession_number: string;
  /**
   * Frame of Reference UID
   */
  frame_of_reference_uid: string;
  /**
   * the frames, one for an image and one a slice for a volume
   */
  frames: FrameReference[];
}
export interface FrameReference {
  /**
   * Series Instance UID
   */
  series_uid: string;
  /**
   * SOP Instance UID
   */
  instance_uid: string;
  /**
   * SOP Class UID
   */
  class_uid: string;
  /**
   * Referenced Frame Number, from 1; None where the object holds a single frame
   */
  number?: number;
}
export interface LesionRecord {
  /**
   * from 1, the largest first
   */
  number: number;
  /**
   * first index along each axis, then one past the last: [row0, column0, row1, column1] in 2-D, [slice0, row0, column0, slice1, row1, column1] in a volume
   */
  box: number[];
  /**
   * number of pixels or voxels of the mask; on a slide of the written mask
   */
  pixels: number;
  /**
   * of lengths: mm, or px where the spacing of the pixels is not known there
   */
  unit: "mm" | "px";
  /**
   * the longest line across the lesion, between pixel corners; 2-D only
   */
  longest_diameter?: number;
  /**
   * its two ends, in pixels
   *
   * @minItems 2
   * @maxItems 2
   */
  longest_diameter_ends?: [number[], number[]];
  /**
   * the longest line at a right angle to it across the lesion's convex hull; 2-D only
   */
  perpendicular_diameter?: number;
  /**
   * its two ends, in pixels
   *
   * @minItems 2
   * @maxItems 2
   */
  perpendicular_diameter_ends?: [number[], number[]];
  /**
   * 2-D only
   */
  area?: number;
  /**
   * the shortest one, in the plane of the image, between centres of pixels; 0 where the lesion reaches the skin line. An upper bound where the nearest skin may lie beyond the image. Absent where no skin line is known: it is seen in a mammogram that shows the edge of the breast, elsewhere a person lays it; 2-D only
   */
  distance_to_skin?: number;
  /**
   * 3-D only
   */
  volume?: number;
  /**
   * over the lesion, 0 to 1, not calibrated; absent on slides
   */
  mean_probability?: number;
  /**
   * the highest in the lesion, 0 to 1; absent on slides
   */
  max_probability?: number;
  /**
   * mean over the lesion, 0 (sure) to 1; absent where the method gives none
   */
  uncertainty?: number;
  /**
   * the likeliest kind of lesion, of a method that tells kinds apart
   */
  class_name?: string;
  /**
   * of each kind, the mean over the lesion, 0 to 1, not calibrated
   */
  class_probabilities?: {
    [k: string]: number;
  };
  margin?: MarginRecord;
  /**
   * those that are computed; 2-D only, absent for a mask of a few pixels
   */
  descriptors?: DescriptorRecord[];
}
/**
 * an inner and an outer contour; absent where it was not asked for
 */
export interface MarginRecord {
  /**
   * the probability with which each of the two contours holds, as calibrated
   */
  coverage: number;
  /**
   * by how much the outer contour is wider than the mask, both taken as discs of their areas: the difference of the radii
   */
  outer_distance: number;
  /**
   * by how much the inner one is narrower
   */
  inner_distance: number;
  /**
   * of what is within the inner and within the outer contour
   *
   * @minItems 2
   * @maxItems 2
   */
  longest_diameter: [number, number];
  /**
   * of both
   *
   * @minItems 2
   * @maxItems 2
   */
  area: [number, number];
}
export interface DescriptorRecord {
  /**
   * which
   */
  kind: "shape" | "orientation" | "margin" | "echo_pattern" | "posterior_features";
  /**
   * round, oval or irregular; parallel or not parallel; circumscribed; anechoic, hypoechoic, isoechoic, hyperechoic or complex; none, enhancement, shadowing or combined. Absent where it was not computed
   */
  value?: string;
  /**
   * the figures behind it, or why it was not computed; absent where the value says all
   */
  detail?: string;
}
/**
 * what was written
 */
export interface Files {
  /**
   * the mask, on the grid of the input; of a slide a pyramid at the method's resolution
   */
  mask?: string;
  /**
   * the image as it was looked at, in 8 bits; written for a report
   */
  image?: string;
  /**
   * the same with the mask's contour, numbers, diameters and a scale bar drawn on it
   */
  overlay?: string;
  /**
   * the probability of lesion
   */
  probability?: string;
  /**
   * the map of uncertainty
   */
  uncertainty?: string;
  /**
   * polygons as GeoJSON
   */
  contours?: string;
  /**
   * DICOM Segmentation, of a cine loop for all frames, as the next two
   */
  segmentation?: string;
  /**
   * DICOM structured report
   */
  report?: string;
  /**
   * DICOM presentation state
   */
  presentation?: string;
  /**
   * DICOM secondary capture of the image with the contours drawn on it
   */
  capture?: string;
  /**
   * FHIR R5 bundle with a diagnostic report
   */
  fhir?: string;
}
/**
 * the study that it is compared with
 */
export interface PriorStudy {
  /**
   * the file as it was named
   */
  input: string;
  /**
   * as they were found then
   */
  lesions: LesionRecord[];
  /**
   * which lesion is which
   */
  pairs: LesionPair[];
  reference?: SourceReference1;
  /**
   * YYYY-MM-DD, where it is known
   */
  study_date?: string;
}
export interface LesionPair {
  /**
   * the lesion's in this study; absent where it is no longer found
   */
  number?: number;
  /**
   * the lesion's in the prior study; absent where it is new
   */
  prior_number?: number;
  /**
   * longest diameter now less the prior one; absent where either is not known in mm
   */
  growth_mm?: number;
  /**
   * the same as a percentage of the prior one
   */
  growth_percent?: number;
  /**
   * of the volume, as a percentage of the prior one; 3-D only
   */
  volume_growth_percent?: number;
}
/**
 * its DICOM objects; absent for what is no DICOM
 */
export interface SourceReference1 {
  /**
   * Study Instance UID; empty where the file states none, as the next two
   */
  study_uid: string;
  /**
   * Accession Number
   */
  accession_number: string;
  /**
   * Frame of Reference UID
   */
  frame_of_reference_uid: string;
  /**
   * the frames, one for an image and one a slice for a volume
   */
  frames: FrameReference[];
}
