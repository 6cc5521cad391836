/** The DICOMweb server that the service is configured for. */
import { json, posted, type Wire } from "./http";

export type Study = Wire["StudyFound"];
export type Series = Wire["SeriesFound"];
export type Search = Partial<Pick<Wire["StudySearch"], "patient_id" | "patient_name" | "accession_number" | "study_date">>;

export const archive = {
  search: (search: Search): Promise<Study[]> => json("/archive/search", posted(search)),

  series: (study: string): Promise<Series[]> => json("/archive/series", posted({ study })),

  take: (study: string, series: string | null): Promise<Wire["ScanInfo"]> => json("/archive/take", posted({ study, series })),
};
