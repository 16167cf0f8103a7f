/** What is wrong with an image, or with what was to become one. */

/** What the error is about, for programs. */
export interface ImageProblem {
  /** Which part of the image: `disk`, `disk.virtualBytes`, ... */
  readonly field: string;
  /** What it may be at most, where there is a bound. */
  readonly limit?: number;
}

export class ImageError extends Error {
  override readonly name = "ImageError";
  readonly problem: ImageProblem | null;

  /** @param message names the field and the limit, too. */
  constructor(message: string, problem: ImageProblem | null = null) {
    super(message);
    this.problem = problem;
  }
}
