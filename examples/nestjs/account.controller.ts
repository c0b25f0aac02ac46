import { promisify } from 'node:util'
import {
  BadRequestException,
  Body,
  Controller,
  Get,
  HttpCode,
  Post,
  Req,
  Session,
  UnauthorizedException
} from '@nestjs/common'
import type { Request } from 'express'
import type { SessionData } from 'express-session'

declare module 'express-session' {
  interface SessionData {
    user: string
    views: number
  }
}

@Controller()
export class AccountController {
  @Get()
  view(@Session() session: Partial<SessionData>) {
    if (!session.user) throw new UnauthorizedException('Log in first.')
    session.views = (session.views ?? 0) + 1
    return { user: session.user, views: session.views }
  }

  @Post('login')
  @HttpCode(200)
  async login(@Req() request: Request, @Body('user') user?: string) {
    if (!user) throw new BadRequestException('Say who you are.')
    // A new session ID at login prevents session fixation.
    await promisify(request.session.regenerate).call(request.session)
    request.session.user = user
    return { user }
  }

  @Post('logout')
  @HttpCode(200)
  async logout(@Req() request: Request) {
    await promisify(request.session.destroy).call(request.session)
    return {}
  }
}
