/** Projects in which several readers label scans, blind to each other. */
import type { Mask } from "../mask/mask";
import { answered, json, posted, type Wire } from "./http";
import { cancelJob } from "./jobs";
import { maskFromPng, pngOf } from "./png";

export type Project = Wire["ProjectInfo"];
export type Case = Wire["CaseInfo"];
export type Decision = Wire["Decision"];
export type Progress = Wire["CaseProgress"];
export type Effort = Wire["Effort"];
export type Agreement = Wire["PairAgreement"];
export type Training = Wire["TrainingInfo"];
export type Figure = Wire["Figure"];

export const projects = {
  all: (): Promise<Project[]> => json("/projects"),

  add: (name: string, method: string, readers: number): Promise<Project> => json("/projects", posted({ name, method, readers_per_case: readers })),

  /** @param patient pseudonym that the images of one patient share; empty: the scan is its own. */
  addScan: (project: string, scan: string, patient = ""): Promise<Case[]> => json(`/projects/${project}/scans`, posted({ scan, patient })),

  next: (project: string): Promise<Case | null> => json(`/projects/${project}/next`, { method: "POST" }),

  proposed: async (project: string, one: Case): Promise<Mask> => maskFromPng(await (await answered(`/projects/${project}/cases/${one.case}/proposed.png`)).blob()),

  cases: (project: string): Promise<Progress[]> => json(`/projects/${project}/cases`),

  effort: (project: string): Promise<Effort[]> => json(`/projects/${project}/effort`),

  agreement: (project: string): Promise<Agreement[]> => json(`/projects/${project}/agreement`),

  trainings: (project: string): Promise<Training[]> => json(`/projects/${project}/trainings`),

  /** @param modality of the images; empty: as the files or the method state it. */
  retrain: (project: string, epochs: number, modality: string): Promise<Training> => json(`/projects/${project}/trainings`, posted({ epochs, modality: modality === "" ? null : modality })),

  choose: (training: string, take: "before" | "after"): Promise<Training> => json(`/trainings/${training}/choice`, posted({ take })),

  cancelJob,

  consensus: async (project: string, one: Case): Promise<Mask> => maskFromPng(await (await answered(`/projects/${project}/cases/${one.case}/consensus.png`)).blob()),

  /** Keeps what a reader decides; only a corrected mask is sent. */
  decide: (project: string, one: Case, decision: Decision, seconds: number, mask: Mask): Promise<Project> => {
    const form = new FormData();
    form.append("decision", decision);
    form.append("seconds", seconds.toFixed(1));
    form.append("first", "true");
    if (decision === "corrected") form.append("mask", pngOf(mask), "mask.png");
    return json(`/projects/${project}/cases/${one.case}/readings`, { method: "POST", body: form });
  },
};
